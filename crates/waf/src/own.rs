//! What stands around every set of rules: how bodies are read, and how strictly rules are meant.

use estate::Tuning;

/// What comes before all rules. Settings of a set of rules may say otherwise about bodies.
///
/// The service believes the type that a body is said to have. Where none is said, and under every
/// type but those of files, a form or JSON may hide: such a body is read as a form, so that its text
/// stands in names and values, and rules see it. Types that end in `json` or `xml` are read as such,
/// whatever stands before.
///
/// SECURITY: what two readers of a multipart form could take for two different forms is refused. A
/// quoted boundary is not among that: RFC 2046 §5.1.1 has some in quotes, and clients send it.
pub(crate) const BEFORE: &str = r#"
SecRequestBodyAccess On
SecRequestBodyLimit 8388608
SecRequestBodyNoFilesLimit 8388608
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 128
SecArgumentsLimit 1000
SecResponseBodyMimeType text/plain text/html text/xml application/xml application/json application/problem+json
SecRule &REQUEST_HEADERS:Content-Type "@eq 0" "id:77000001,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED"
SecRule REQUEST_HEADERS:Content-Type "!@rx ^\s*(?:(?:multipart|image|audio|video|font|model)/|application/(?:octet-stream|pdf|zip|gzip|x-gzip|x-tar|x-bzip2|zstd|x-7z-compressed|x-rar-compressed|vnd\.(?:ms-|oasis\.|openxmlformats-|rar|android\.)|msword|protobuf|x-protobuf|grpc|msgpack|x-msgpack|cbor|wasm|ogg|mp4|x-shockwave-flash|java-archive|epub\+zip|pkcs|x-pkcs))" "id:77000002,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=URLENCODED"
SecRule REQUEST_HEADERS:Content-Type "@rx ^\s*(?:[^/;]+/(?:[^;]*\+|x-)?json|application/csp-report)" "id:77000003,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx ^\s*[^/;]+/(?:[^;]*\+)?xml" "id:77000004,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=XML"
SecRule MULTIPART_BOUNDARY_WHITESPACE|MULTIPART_HEADER_FOLDING|MULTIPART_INVALID_HEADER_FOLDING|MULTIPART_LF_LINE|MULTIPART_MISSING_SEMICOLON|MULTIPART_INVALID_QUOTING|MULTIPART_INVALID_PART|MULTIPART_UNMATCHED_BOUNDARY "!@eq 0" "id:77000005,phase:2,deny,status:400,log,t:none,msg:'a multipart form that can be read in two ways'"
"#;

/// LIMIT: bytes of an answer that rules look into; the gateway passes longer ones on.
pub const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// Ids of the rules that exclusions become begin here.
pub(crate) const EXCLUSION_IDS: u64 = 77_001_000;
/// The rule that says how strictly rules are meant.
const TUNING_ID: u64 = 77_000_100;

/// What comes between the settings and the rules: what the estate says about strictness counts
/// before what the settings say.
pub(crate) fn tuned(tuning: &Tuning) -> String {
    let mut sets = Vec::new();
    if let Some(level) = tuning.paranoia {
        for name in ["blocking_paranoia_level", "detection_paranoia_level"] {
            sets.push(format!("setvar:'tx.{name}={level}'"));
        }
    }
    for (name, score) in [
        ("inbound_anomaly_score_threshold", tuning.inbound_threshold),
        (
            "outbound_anomaly_score_threshold",
            tuning.outbound_threshold,
        ),
    ] {
        if let Some(score) = score {
            sets.push(format!("setvar:'tx.{name}={score}'"));
        }
    }
    if sets.is_empty() {
        return String::new();
    }
    format!(
        "SecAction \"id:{TUNING_ID},phase:1,pass,nolog,{}\"\n",
        sets.join(",")
    )
}

/// What comes after all rules.
///
/// SECURITY: settings that come with rules often only detect; whether a route blocks, and whether its
/// answers are looked into, is the estate's to say, and the gateway carries it out.
pub(crate) fn after() -> String {
    format!(
        "SecRuleEngine On\nSecResponseBodyAccess On\nSecResponseBodyLimit {ANSWER_BYTES_MAX}\n\
         SecResponseBodyLimitAction ProcessPartial\n"
    )
}
