//! What the language of ModSecurity 3 has by name (its scanner's list, and its reference manual): each
//! is there, or refused with a reason. None is unknown.

use super::*;

const OPERATORS: &[(&str, &str)] = &[
    ("beginsWith", "a"),
    ("contains", "a"),
    ("containsWord", "a"),
    ("detectSQLi", ""),
    ("detectXSS", ""),
    ("endsWith", "a"),
    ("eq", "1"),
    ("fuzzyHash", "a 1"),
    ("ge", "1"),
    ("geoLookup", ""),
    ("gsbLookup", "a"),
    ("gt", "1"),
    ("inspectFile", "a.lua"),
    ("ipMatch", "127.0.0.1"),
    ("ipMatchF", "a"),
    ("ipMatchFromFile", "a"),
    ("le", "1"),
    ("lt", "1"),
    ("noMatch", ""),
    ("pm", "a"),
    ("pmf", "a"),
    ("pmFromFile", "a"),
    ("rbl", "bl.example"),
    ("rsub", "s/a/b/"),
    ("rx", "a"),
    ("rxGlobal", "a"),
    ("streq", "a"),
    ("strmatch", "a"),
    ("unconditionalMatch", ""),
    ("validateByteRange", "1-255"),
    ("validateDTD", "a.dtd"),
    ("validateHash", "a"),
    ("validateSchema", "a.xsd"),
    ("validateUrlEncoding", ""),
    ("validateUtf8Encoding", ""),
    ("verifyCC", "a"),
    ("verifyCPF", "a"),
    ("verifySSN", "a"),
    ("verifySVNR", "a"),
    ("within", "a"),
];

const TRANSFORMATIONS: &str = "base64Decode base64DecodeExt base64Encode cmdLine compressWhitespace cssDecode \
    escapeSeqDecode hexDecode hexEncode htmlEntityDecode jsDecode length lowercase md5 none normalisePath \
    normalisePathWin normalizePath normalizePathWin parityEven7bit parityOdd7bit parityZero7bit removeComments \
    removeCommentsChar removeNulls removeWhitespace replaceComments replaceNulls sha1 sqlHexDecode trim trimLeft \
    trimRight uppercase urlDecode urlDecodeUni urlEncode utf8toUnicode";

const VARIABLES: &str = "ARGS ARGS_COMBINED_SIZE ARGS_GET ARGS_GET_NAMES ARGS_GET_NAMES_RAW ARGS_GET_RAW ARGS_NAMES \
    ARGS_NAMES_RAW ARGS_POST ARGS_POST_NAMES ARGS_POST_NAMES_RAW ARGS_POST_RAW ARGS_RAW AUTH_TYPE DURATION ENV:a FILES \
    FILES_COMBINED_SIZE FILES_NAMES FILES_SIZES FILES_TMPNAMES FILES_TMP_CONTENT FULL_REQUEST FULL_REQUEST_LENGTH \
    GEO GLOBAL:a HIGHEST_SEVERITY INBOUND_DATA_ERROR IP:a MATCHED_VAR MATCHED_VARS MATCHED_VARS_NAMES \
    MATCHED_VAR_NAME MODSEC_BUILD MSC_PCRE_ERROR MSC_PCRE_LIMITS_EXCEEDED MULTIPART_BOUNDARY_QUOTED \
    MULTIPART_BOUNDARY_WHITESPACE MULTIPART_CRLF_LF_LINES MULTIPART_DATA_AFTER MULTIPART_DATA_BEFORE \
    MULTIPART_FILENAME MULTIPART_FILE_LIMIT_EXCEEDED MULTIPART_HEADER_FOLDING MULTIPART_INVALID_HEADER_FOLDING \
    MULTIPART_INVALID_PART MULTIPART_INVALID_QUOTING MULTIPART_LF_LINE MULTIPART_MISSING_SEMICOLON MULTIPART_NAME \
    MULTIPART_PART_HEADERS MULTIPART_SEMICOLON_MISSING MULTIPART_STRICT_ERROR MULTIPART_UNMATCHED_BOUNDARY \
    OUTBOUND_DATA_ERROR PATH_INFO PERF_ALL PERF_COMBINED PERF_GC PERF_LOGGING PERF_PHASE1 PERF_RULES PERF_SREAD \
    PERF_SWRITE QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_PORT REMOTE_USER REQBODY_ERROR REQBODY_ERROR_MSG \
    REQBODY_PROCESSOR REQBODY_PROCESSOR_ERROR REQBODY_PROCESSOR_ERROR_MSG REQUEST_BASENAME REQUEST_BODY \
    REQUEST_BODY_LENGTH REQUEST_COOKIES REQUEST_COOKIES_NAMES REQUEST_FILENAME REQUEST_HEADERS REQUEST_HEADERS_NAMES \
    REQUEST_LINE REQUEST_METHOD REQUEST_PROTOCOL REQUEST_URI REQUEST_URI_RAW RESOURCE:a RESPONSE_BODY \
    RESPONSE_CONTENT_LENGTH RESPONSE_CONTENT_TYPE RESPONSE_HEADERS RESPONSE_HEADERS_NAMES RESPONSE_PROTOCOL \
    RESPONSE_STATUS RULE:id SCRIPT_BASENAME SCRIPT_FILENAME SCRIPT_GID SCRIPT_GROUPNAME SCRIPT_MODE SCRIPT_UID \
    SCRIPT_USERNAME SDBM_DELETE_ERROR SERVER_ADDR SERVER_NAME SERVER_PORT SESSION:a SESSIONID STATUS STATUS_LINE \
    STREAM_INPUT_BODY STREAM_OUTPUT_BODY TIME TIME_DAY TIME_EPOCH TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY \
    TIME_YEAR TX:a UNIQUE_ID URLENCODED_ERROR USERAGENT_IP USER:a USERID WEBAPPID WEBSERVER_ERROR_LOG XML:/*";

const ACTIONS: &str = "accuracy:1 allow allow:phase allow:request append:a auditlog block capture deny deprecatevar:a=1/2 \
    drop exec:/a expirevar:tx.a=1 initcol:ip=a log logdata:a maturity:1 msg:a multiMatch noauditlog nolog pass pause:1 \
    prepend:a proxy:http://a redirect:http://a rev:1 sanitiseArg:a sanitiseMatched sanitiseMatchedBytes \
    sanitiseRequestHeader:a sanitiseResponseHeader:a setenv:a=1 setrsc:a setsid:a setuid:a setvar:tx.a=1 severity:1 \
    skip:1 status:403 tag:a ver:a xmlns:a=b ctl:auditEngine=On ctl:auditLogParts=+A ctl:debugLogLevel=1 \
    ctl:forceRequestBodyVariable=On ctl:hashEnforcement=On ctl:hashEngine=On ctl:parseXmlIntoArgs=On \
    ctl:requestBodyAccess=On ctl:requestBodyLimit=1 ctl:requestBodyProcessor=JSON ctl:requestBodyProcessor=URLENCODED \
    ctl:requestBodyProcessor=XML ctl:responseBodyAccess=On ctl:responseBodyLimit=1 ctl:ruleEngine=On \
    ctl:ruleRemoveById=9 ctl:ruleRemoveByMsg=a ctl:ruleRemoveByTag=a ctl:ruleRemoveTargetById=9;ARGS \
    ctl:ruleRemoveTargetByMsg=a;ARGS ctl:ruleRemoveTargetByTag=a;ARGS";

const DIRECTIVES: &[&str] = &[
    "Include a",
    "SecAction \"id:9,pass\"",
    "SecArgumentSeparator &",
    "SecArgumentsLimit 9",
    "SecAuditEngine On",
    "SecAuditLog a",
    "SecAuditLog2 a",
    "SecAuditLogDirMode 1",
    "SecAuditLogFileMode 1",
    "SecAuditLogFormat JSON",
    "SecAuditLogParts A",
    "SecAuditLogPrefix a",
    "SecAuditLogRelevantStatus a",
    "SecAuditLogStorageDir a",
    "SecAuditLogType Serial",
    "SecCacheTransformations On",
    "SecChrootDir a",
    "SecCollectionTimeout 1",
    "SecComponentSignature a",
    "SecConnEngine On",
    "SecConnReadStateLimit 1",
    "SecConnWriteStateLimit 1",
    "SecContentInjection On",
    "SecCookieFormat 0",
    "SecCookieV0Separator ;",
    "SecDataDir a",
    "SecDebugLog a",
    "SecDebugLogLevel 1",
    "SecDefaultAction \"phase:2,pass\"",
    "SecDisableBackendCompression On",
    "SecGeoLookupDb a",
    "SecGsbLookupDb a",
    "SecGuardianLog a",
    "SecHashEngine On",
    "SecHashKey a",
    "SecHashMethodPm a b",
    "SecHashMethodRx a b",
    "SecHashParam a",
    "SecHttpBlKey a",
    "SecInterceptOnError On",
    "SecMarker a",
    "SecParseXmlIntoArgs On",
    "SecPcreMatchLimit 1",
    "SecPcreMatchLimitRecursion 1",
    "SecReadStateLimit 1",
    "SecRemoteRules a b",
    "SecRemoteRulesFailAction Abort",
    "SecRequestBodyAccess On",
    "SecRequestBodyInMemoryLimit 1",
    "SecRequestBodyJsonDepthLimit 1",
    "SecRequestBodyLimit 1",
    "SecRequestBodyLimitAction Reject",
    "SecRequestBodyNoFilesLimit 1",
    "SecResponseBodyAccess On",
    "SecResponseBodyLimit 1",
    "SecResponseBodyLimitAction Reject",
    "SecResponseBodyMimeType text/plain",
    "SecResponseBodyMimeTypesClear",
    "SecRuleEngine On",
    "SecRuleInheritance On",
    "SecRulePerfTime 1",
    "SecRuleRemoveById 9",
    "SecRuleRemoveByMsg a",
    "SecRuleRemoveByTag a",
    "SecRuleScript a.lua",
    "SecRuleUpdateActionById 1 pass",
    "SecRuleUpdateTargetById 1 ARGS",
    "SecRuleUpdateTargetByMsg m ARGS",
    "SecRuleUpdateTargetByTag t ARGS",
    "SecSensorId a",
    "SecServerSignature a",
    "SecStatusEngine On",
    "SecStreamInBodyInspection On",
    "SecStreamOutBodyInspection On",
    "SecTmpDir a",
    "SecTmpSaveUploadedFiles On",
    "SecUnicodeMapFile map 20127",
    "SecUploadDir a",
    "SecUploadFileLimit 1",
    "SecUploadFileMode 1",
    "SecUploadKeepFiles On",
    "SecWebAppId a",
    "SecWriteStateLimit 1",
    "SecXmlExternalEntity On",
];

/// Any file is there.
struct Anything;

impl Files for Anything {
    fn read(&self, _from: &str, path: &str) -> Result<Vec<u8>, String> {
        // Addresses, or phrases; or a code page.
        Ok(match path {
            "a" => b"127.0.0.1".to_vec(),
            _ => b"20127 (US-ASCII)\n00a0:20".to_vec(),
        })
    }

    fn list(&self, _from: &str, _pattern: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// Those that are refused; every one with a reason.
fn refused_of(texts: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, text) in texts {
        let mut loader = Loader::new(&Anything, Leniency::Strict);
        loader.text("a.conf", text.as_bytes());
        if let Err(Error::Rules { findings }) = loader.finish() {
            let wrong = findings.iter().find(|found| found.weight == Weight::Error);
            let wrong = wrong.unwrap();
            assert!(wrong.message.contains("is not supported: "), "{wrong}");
            assert_eq!(wrong.place.to_string(), "a.conf:1");
            refused.push(name);
        }
    }
    refused
}

fn each(words: &str, text: impl Fn(&str) -> String) -> Vec<String> {
    refused_of(
        words
            .split_whitespace()
            .map(|word| (word.to_owned(), text(word))),
    )
}

#[test]
fn every_operator_is_there_or_refused_with_a_reason() {
    let texts = OPERATORS.iter().map(|(name, argument)| {
        let text = format!("SecRule ARGS \"@{name} {argument}\" \"id:1,pass\"");
        ((*name).to_owned(), text)
    });
    let refused = refused_of(texts);
    let expected = [
        "fuzzyHash",
        "geoLookup",
        "gsbLookup",
        "inspectFile",
        "rbl",
        "rsub",
        "validateDTD",
        "validateHash",
        "validateSchema",
    ];
    assert_eq!(refused, expected);
}

#[test]
fn every_transformation_is_there() {
    let rule = |name: &str| format!("SecRule ARGS a \"id:1,pass,t:{name}\"");
    assert!(each(TRANSFORMATIONS, rule).is_empty());
}

#[test]
fn every_variable_is_there_or_refused_with_a_reason() {
    let refused = each(VARIABLES, |name| format!("SecRule {name} a \"id:1,pass\""));
    let of_three: Vec<&String> = refused
        .iter()
        .filter(|name| {
            let two = ["PERF_", "SCRIPT_", "STREAM_"];
            !two.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    let expected = [
        "FILES_TMPNAMES",
        "GEO",
        "SDBM_DELETE_ERROR",
        "USERAGENT_IP",
        "WEBSERVER_ERROR_LOG",
    ];
    assert_eq!(of_three, expected);
}

#[test]
fn every_action_is_there_or_refused_with_a_reason() {
    let refused = each(ACTIONS, |action| {
        format!("SecRule ARGS a \"id:1,phase:1,{action}\"")
    });
    let expected = [
        "append:a",
        "deprecatevar:a=1/2",
        "exec:/a",
        "pause:1",
        "prepend:a",
        "proxy:http://a",
        "ctl:hashEnforcement=On",
        "ctl:hashEngine=On",
    ];
    assert_eq!(refused, expected);
}

#[test]
fn every_directive_is_there_or_refused_with_a_reason() {
    let texts = DIRECTIVES.iter().map(|line| {
        let name = line.split(' ').next().unwrap_or_default().to_owned();
        let rule = "SecRule ARGS a \"id:1,pass,msg:m,tag:t\"";
        // What changes rules stands after them.
        let text = if name.starts_with("SecRuleUpdate") {
            format!("{rule}\n{line}")
        } else {
            format!("{line}\n{rule}")
        };
        (name, text)
    });
    let expected = [
        "SecGeoLookupDb",
        "SecGsbLookupDb",
        "SecRemoteRules",
        "SecRemoteRulesFailAction",
        "SecRuleInheritance",
        "SecRuleScript",
    ];
    assert_eq!(refused_of(texts), expected);
}
