//! What holds for any bytes: checked by the tests of the crate for what `testdata/fuzz` has, and for
//! minutes or hours by the example `fuzz` for what becomes of it under damage.

use std::net::{IpAddr, Ipv4Addr};

use seclang::regression::{Input, wire};
use seclang::{
    Connection, Leniency, Loader, Moment, NoFiles, RequestHead, ResponseHead, Ruleset, Transaction,
};

/// What reads the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The reader of rules.
    Rules,
    /// A form.
    Urlencoded,
    /// A form of parts.
    Multipart,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// A whole request with its answer, through all phases.
    Requests,
}

/// What readers of rules look for.
const RULE_WORDS: &[&[u8]] = &[
    b"SecRule ",
    b"SecAction ",
    b"\\\n",
    b"chain",
    b"id:1,",
    b"\"",
    b"|",
    b"XML:/*",
    b"%{tx.a}",
    b"@rx ",
    b"@pm ",
    b"t:none,",
    b"setvar:tx.a=+1",
    b"skipAfter:END",
    b"SecMarker END\n",
    b"&ARGS",
    b"multiMatch",
    b"ctl:ruleRemoveById=1-9",
    b"{9,99}",
    b"[^",
];

/// What is looked for in requests, and what attacks them.
const REQUEST_WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Type: application/json\r\n",
    b"Content-Type: text/xml\r\n",
    b"Content-Type: multipart/form-data; boundary=B\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n",
    b"Cookie: a=",
    b"Host: ",
    b"; charset=utf-7",
    b"%u0041",
    b"%25",
    b"%00",
    b"&",
    b"=",
    b"+",
    b"' or 1.e(",
    b" union select ",
    b"<script>",
    b"../",
    b"/*",
    b"&#x",
    b"\\u00",
    b"${",
    b"{\"",
    b"--B",
    b"<!",
];

impl Target {
    pub(crate) const ALL: [Self; 6] = [
        Self::Rules,
        Self::Urlencoded,
        Self::Multipart,
        Self::Json,
        Self::Xml,
        Self::Requests,
    ];

    /// The folder of its corpus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Urlencoded => "urlencoded",
            Self::Multipart => "multipart",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Requests => "requests",
        }
    }

    /// What readers of this format look for.
    pub(crate) fn words(self) -> &'static [&'static [u8]] {
        match self {
            Self::Rules => RULE_WORDS,
            Self::Urlencoded => &[b"%", b"%u0041", b"&", b"=", b"+", b"%00", b"%25", b";"],
            Self::Multipart => &[
                b"--B",
                b"--B--",
                b"\r\n",
                b"\n",
                b"\r\n\r\n",
                b"name=\"",
                b"filename*=utf-8''",
                b"\r\n ",
                b"Content-Disposition: form-data; ",
                b"Content-Type: text/plain",
            ],
            Self::Json => &[
                b"{", b"[", b"\"", b"\\u00", b"\\ud83d", b":", b",", b"null", b"1e9", b"]", b"}",
            ],
            Self::Xml => &[
                b"<",
                b">",
                b"</",
                b"/>",
                b"&#",
                b"&amp;",
                b"]]>",
                b"<![CDATA[",
                b"<!--",
                b"<?xml ",
                b"<!DOCTYPE a [",
                b"<!ENTITY x \"y\">",
                b" a=\"",
                b"xmlns:",
            ],
            Self::Requests => REQUEST_WORDS,
        }
    }

    fn content_type(self) -> &'static [u8] {
        match self {
            Self::Rules | Self::Urlencoded | Self::Requests => b"application/x-www-form-urlencoded",
            Self::Multipart => b"multipart/form-data; boundary=B",
            Self::Json => b"application/json",
            Self::Xml => b"application/xml",
        }
    }
}

/// Rules that look at everything a body can fill, and 99, which must never match.
pub(crate) const RULES: &str = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecRequestBodyJsonDepthLimit 64\n\
    SecArgumentsLimit 200\nSecUploadFileLimit 8\nSecRequestBodyNoFilesLimit 131072\n\
    SecRule REQUEST_HEADERS:Content-Type json \"id:1,phase:1,pass,ctl:requestBodyProcessor=JSON\"\n\
    SecRule REQUEST_HEADERS:Content-Type xml \"id:2,phase:1,pass,ctl:requestBodyProcessor=XML\"\n\
    SecRule REQBODY_ERROR \"!@eq 0\" \"id:3,phase:2,pass\"\n\
    SecRule MULTIPART_STRICT_ERROR|MULTIPART_UNMATCHED_BOUNDARY|URLENCODED_ERROR \"!@eq 0\" \"id:4,phase:2,pass\"\n\
    SecRule ARGS|ARGS_NAMES|XML:/*|XML://@*|FILES|FILES_NAMES|MULTIPART_PART_HEADERS \"@rx (?i)select\\s+.{1,9}from|<[a-z]+|[^\\x00-\\x7f]\" \
        \"id:5,phase:2,pass,capture,t:none,t:utf8toUnicode,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:cssDecode\"\n\
    SecRule ARGS|ARGS_NAMES|XML:/* \"@detectSQLi\" \"id:6,phase:2,pass,multiMatch,t:none,t:urlDecodeUni,t:replaceComments,t:removeNulls\"\n\
    SecRule ARGS|REQUEST_BODY|XML:/* \"@detectXSS\" \"id:7,phase:2,pass,t:none,t:lowercase,t:removeWhitespace\"\n\
    SecRule ARGS|XML:/* \"@pm /etc/passwd cmd.exe ${\" \"id:8,phase:2,pass,t:none,t:cmdLine,t:normalizePathWin\"\n\
    SecRule ARGS \"!@validateUtf8Encoding\" \"id:9,phase:2,pass,t:none,t:base64Decode\"\n\
    SecRule ARGS|XML:/* \"@rx \\w\" \"id:10,phase:2,pass,chain\"\nSecRule MATCHED_VARS \"@rx e\"\n\
    SecRule &ARGS \"@gt 200\" \"id:99,phase:2,pass\"\n";

/// Those rules, loaded.
pub(crate) fn rules() -> Ruleset {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    loader.text("fuzz", RULES.as_bytes());
    match loader.finish() {
        Ok(loaded) => loaded.rules,
        Err(error) => panic!("{error}"),
    }
}

/// What became of some bytes, in few words: equal for what went the same way.
pub(crate) fn look(target: Target, rules: &Ruleset, input: &[u8]) -> String {
    match target {
        Target::Rules => read_rules(input),
        Target::Requests => exchange(rules, input),
        _ => body(target, rules, input),
    }
}

/// Bytes as rules: read or refused, twice alike; a lenient load always ends.
fn read_rules(input: &[u8]) -> String {
    let read = |leniency| {
        let mut loader = Loader::new(&NoFiles, leniency);
        loader.text("fuzz", input);
        match loader.finish() {
            Ok(loaded) => {
                let rules = &loaded.rules;
                let outcome = run(
                    rules,
                    Target::Urlencoded,
                    b"a=1&b=select+x+from+y",
                    u64::MAX,
                );
                format!("{} rules, {outcome}", rules.rules().count())
            }
            Err(error) => {
                assert_eq!(leniency, Leniency::Strict, "a lenient load failed: {error}");
                let text = error.to_string();
                // Without what was written, which is never twice the same.
                text.split('`').step_by(2).take(3).collect()
            }
        }
    };
    let strict = read(Leniency::Strict);
    assert_eq!(strict, read(Leniency::Strict));
    drop(read(Leniency::Lenient));
    strict
}

/// Looks at bodies of so many bytes at most.
const BODY_MAX: usize = 64 << 10;
/// No body of that size takes more: a transformation or an operator looks at each byte of a value
/// once, and names are limited.
const WORK_MAX_BYTES: u64 = 1 << 30;

fn body(target: Target, rules: &Ruleset, input: &[u8]) -> String {
    let input = input.get(..BODY_MAX).unwrap_or(input);
    let outcome = run(rules, target, input, WORK_MAX_BYTES);
    assert!(
        !outcome.exhausted,
        "{} bytes took too much work",
        input.len()
    );
    assert_eq!(outcome, run(rules, target, input, WORK_MAX_BYTES));
    assert!(
        !outcome.ids.contains(&99),
        "the limit of arguments was passed"
    );
    // With less than it needs it must stop, and say so.
    let half = outcome.spent / 2;
    let stopped = run(rules, target, input, half);
    assert!(stopped.exhausted || stopped.spent <= half);
    assert!(stopped.spent <= outcome.spent);
    outcome.to_string()
}

/// A whole request, and its own bytes as the answer to it.
fn exchange(rules: &Ruleset, input: &[u8]) -> String {
    let input = input.get(..BODY_MAX).unwrap_or(input);
    let outcome = answered(rules, input, WORK_MAX_BYTES);
    assert!(
        !outcome.exhausted,
        "{} bytes took too much work",
        input.len()
    );
    assert_eq!(outcome, answered(rules, input, WORK_MAX_BYTES));
    let half = outcome.spent / 2;
    let stopped = answered(rules, input, half);
    assert!(stopped.exhausted || stopped.spent <= half);
    assert!(stopped.spent <= outcome.spent);
    outcome.to_string()
}

fn answered(rules: &Ruleset, input: &[u8], budget: u64) -> Outcome {
    let request = wire(&Input::Raw(input.to_vec()));
    let fields = request.fields.iter();
    let fields: Vec<(&[u8], &[u8])> = fields
        .map(|(name, value)| (&name[..], &value[..]))
        .collect();
    let mut transaction = Transaction::new(rules, &connection()).with_budget(budget);
    transaction.request_head(&RequestHead {
        line: &request.line,
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        fields: &fields,
    });
    transaction.request_body(&request.body);
    // As a service would that says what it was asked.
    let kind: &[u8] = if input.len().is_multiple_of(2) {
        b"text/html"
    } else {
        b"application/json"
    };
    transaction.response_head(&ResponseHead {
        status: 500,
        protocol: b"HTTP/1.1",
        fields: &[(b"Content-Type", kind), (b"Server", &request.target)],
    });
    transaction.response_body(input);
    outcome(transaction)
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    ids: Vec<u64>,
    problem: String,
    spent: u64,
    exhausted: bool,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without numbers: where a text broke off says nothing new.
        let problem = self
            .problem
            .trim_end_matches(|letter: char| letter.is_ascii_digit());
        write!(f, "{:?} {problem}", self.ids)
    }
}

fn connection() -> Connection<'static> {
    Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 1,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"fuzz",
    }
}

fn run(rules: &Ruleset, target: Target, body: &[u8], budget: u64) -> Outcome {
    let mut transaction = Transaction::new(rules, &connection()).with_budget(budget);
    transaction.request_head(&RequestHead {
        line: b"POST / HTTP/1.1",
        method: b"POST",
        target: b"/",
        protocol: b"HTTP/1.1",
        fields: &[(b"Content-Type", target.content_type())],
    });
    transaction.request_body(body);
    outcome(transaction)
}

fn outcome(mut transaction: Transaction<'_>) -> Outcome {
    transaction.finish();
    let problem = transaction.problem().unwrap_or_default();
    Outcome {
        ids: transaction.matches().iter().map(|found| found.id).collect(),
        problem: String::from_utf8_lossy(problem).into_owned(),
        spent: transaction.spent_bytes(),
        exhausted: transaction.is_exhausted(),
    }
}
