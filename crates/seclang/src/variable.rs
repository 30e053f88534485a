//! Variables: what rules look at. Names, and what kind of thing each of them is.

use crate::place::{Bad, did_you_mean};

macro_rules! variables {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// A variable of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub(crate) enum Variable {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Variable {
            /// All of them, in the order of their numbers.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As rules write it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

variables! {
    Args = "ARGS",
    ArgsCombinedSize = "ARGS_COMBINED_SIZE",
    ArgsGet = "ARGS_GET",
    ArgsGetNames = "ARGS_GET_NAMES",
    ArgsGetNamesRaw = "ARGS_GET_NAMES_RAW",
    ArgsGetRaw = "ARGS_GET_RAW",
    ArgsNames = "ARGS_NAMES",
    ArgsNamesRaw = "ARGS_NAMES_RAW",
    ArgsPost = "ARGS_POST",
    ArgsPostNames = "ARGS_POST_NAMES",
    ArgsPostNamesRaw = "ARGS_POST_NAMES_RAW",
    ArgsPostRaw = "ARGS_POST_RAW",
    ArgsRaw = "ARGS_RAW",
    AuthType = "AUTH_TYPE",
    Duration = "DURATION",
    Env = "ENV",
    Files = "FILES",
    FilesCombinedSize = "FILES_COMBINED_SIZE",
    FilesNames = "FILES_NAMES",
    FilesSizes = "FILES_SIZES",
    FilesTmpContent = "FILES_TMP_CONTENT",
    FullRequest = "FULL_REQUEST",
    FullRequestLength = "FULL_REQUEST_LENGTH",
    Global = "GLOBAL",
    HighestSeverity = "HIGHEST_SEVERITY",
    InboundDataError = "INBOUND_DATA_ERROR",
    Ip = "IP",
    MatchedVar = "MATCHED_VAR",
    MatchedVarName = "MATCHED_VAR_NAME",
    MatchedVars = "MATCHED_VARS",
    MatchedVarsNames = "MATCHED_VARS_NAMES",
    ModsecBuild = "MODSEC_BUILD",
    MscPcreError = "MSC_PCRE_ERROR",
    MscPcreLimitsExceeded = "MSC_PCRE_LIMITS_EXCEEDED",
    MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED",
    MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE",
    MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES",
    MultipartDataAfter = "MULTIPART_DATA_AFTER",
    MultipartDataBefore = "MULTIPART_DATA_BEFORE",
    MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED",
    MultipartFilename = "MULTIPART_FILENAME",
    MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING",
    MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING",
    MultipartInvalidPart = "MULTIPART_INVALID_PART",
    MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING",
    MultipartLfLine = "MULTIPART_LF_LINE",
    MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON",
    MultipartName = "MULTIPART_NAME",
    MultipartPartHeaders = "MULTIPART_PART_HEADERS",
    MultipartStrictError = "MULTIPART_STRICT_ERROR",
    MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY",
    OutboundDataError = "OUTBOUND_DATA_ERROR",
    PathInfo = "PATH_INFO",
    QueryString = "QUERY_STRING",
    RemoteAddr = "REMOTE_ADDR",
    RemoteHost = "REMOTE_HOST",
    RemotePort = "REMOTE_PORT",
    RemoteUser = "REMOTE_USER",
    ReqbodyError = "REQBODY_ERROR",
    ReqbodyErrorMsg = "REQBODY_ERROR_MSG",
    ReqbodyProcessor = "REQBODY_PROCESSOR",
    ReqbodyProcessorError = "REQBODY_PROCESSOR_ERROR",
    ReqbodyProcessorErrorMsg = "REQBODY_PROCESSOR_ERROR_MSG",
    RequestBasename = "REQUEST_BASENAME",
    RequestBody = "REQUEST_BODY",
    RequestBodyLength = "REQUEST_BODY_LENGTH",
    RequestCookies = "REQUEST_COOKIES",
    RequestCookiesNames = "REQUEST_COOKIES_NAMES",
    RequestFilename = "REQUEST_FILENAME",
    RequestHeaders = "REQUEST_HEADERS",
    RequestHeadersNames = "REQUEST_HEADERS_NAMES",
    RequestLine = "REQUEST_LINE",
    RequestMethod = "REQUEST_METHOD",
    RequestProtocol = "REQUEST_PROTOCOL",
    RequestUri = "REQUEST_URI",
    RequestUriRaw = "REQUEST_URI_RAW",
    Resource = "RESOURCE",
    ResponseBody = "RESPONSE_BODY",
    ResponseContentLength = "RESPONSE_CONTENT_LENGTH",
    ResponseContentType = "RESPONSE_CONTENT_TYPE",
    ResponseHeaders = "RESPONSE_HEADERS",
    ResponseHeadersNames = "RESPONSE_HEADERS_NAMES",
    ResponseProtocol = "RESPONSE_PROTOCOL",
    ResponseStatus = "RESPONSE_STATUS",
    Rule = "RULE",
    ServerAddr = "SERVER_ADDR",
    ServerName = "SERVER_NAME",
    ServerPort = "SERVER_PORT",
    Session = "SESSION",
    SessionId = "SESSIONID",
    StatusLine = "STATUS_LINE",
    Time = "TIME",
    TimeDay = "TIME_DAY",
    TimeEpoch = "TIME_EPOCH",
    TimeHour = "TIME_HOUR",
    TimeMin = "TIME_MIN",
    TimeMon = "TIME_MON",
    TimeSec = "TIME_SEC",
    TimeWday = "TIME_WDAY",
    TimeYear = "TIME_YEAR",
    Tx = "TX",
    UniqueId = "UNIQUE_ID",
    UrlencodedError = "URLENCODED_ERROR",
    User = "USER",
    UserId = "USERID",
    WebAppId = "WEBAPPID",
    Xml = "XML",
}

/// How a variable comes to its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One list of named values.
    List,
    /// Two lists, one after the other.
    Lists(Variable, Variable),
    /// The names in one list.
    Names(Variable),
    /// The names in two.
    NamesOf(Variable, Variable),
    /// At most one value, without a name.
    Scalar,
    /// Variables of rules, within one transaction or beyond it.
    Kept,
    /// What the last operator matched.
    Matched,
    /// What the rule says about itself.
    OfRule,
}

/// Second names of variables.
const ALSO: &[(&str, Variable)] = &[
    (
        "MULTIPART_SEMICOLON_MISSING",
        Variable::MultipartMissingSemicolon,
    ),
    ("STATUS", Variable::ResponseStatus),
];

/// Variables of the manual that this engine does not have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("FILES_TMPNAMES", "uploads are not written to files"),
    ("GEO", "it needs a database of places"),
    ("PERF_ALL", OF_TWO),
    ("PERF_COMBINED", OF_TWO),
    ("PERF_GC", OF_TWO),
    ("PERF_LOGGING", OF_TWO),
    ("PERF_PHASE1", OF_TWO),
    ("PERF_PHASE2", OF_TWO),
    ("PERF_PHASE3", OF_TWO),
    ("PERF_PHASE4", OF_TWO),
    ("PERF_PHASE5", OF_TWO),
    ("PERF_RULES", OF_TWO),
    ("PERF_SREAD", OF_TWO),
    ("PERF_SWRITE", OF_TWO),
    ("SCRIPT_BASENAME", OF_TWO),
    ("SCRIPT_FILENAME", OF_TWO),
    ("SCRIPT_GID", OF_TWO),
    ("SCRIPT_GROUPNAME", OF_TWO),
    ("SCRIPT_MODE", OF_TWO),
    ("SCRIPT_UID", OF_TWO),
    ("SCRIPT_USERNAME", OF_TWO),
    ("SDBM_DELETE_ERROR", OF_TWO),
    ("STREAM_INPUT_BODY", OF_TWO),
    ("STREAM_OUTPUT_BODY", OF_TWO),
    ("USERAGENT_IP", OF_TWO),
    ("WEBSERVER_ERROR_LOG", OF_TWO),
];

const OF_TWO: &str = "it is of ModSecurity 2 alone";

impl Variable {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Its number.
    pub(crate) fn index(self) -> usize {
        usize::from(self as u8)
    }

    /// The variable of this name, case aside.
    pub(crate) fn named(name: &str) -> Result<Self, Bad> {
        let mut all = Self::ALL.iter();
        if let Some(known) = all.find(|known| known.name().eq_ignore_ascii_case(name)) {
            return Ok(*known);
        }
        let mut also = ALSO.iter();
        if let Some((_, known)) = also.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Ok(*known);
        }
        let elsewhere = ELSEWHERE
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        Err(match elsewhere {
            Some((known, why)) => Bad::new(format!("`{known}` is not supported: {why}")),
            None => Bad::new(format!("there is no variable `{name}`")).hint(did_you_mean(
                name,
                Self::ALL.iter().map(|known| known.name()),
            )),
        })
    }

    /// How it comes to its values.
    pub(crate) fn source(self) -> Source {
        match self {
            Self::Args => Source::Lists(Self::ArgsGet, Self::ArgsPost),
            Self::ArgsNames => Source::NamesOf(Self::ArgsGet, Self::ArgsPost),
            Self::ArgsGetNames => Source::Names(Self::ArgsGet),
            Self::ArgsPostNames => Source::Names(Self::ArgsPost),
            Self::ArgsRaw => Source::Lists(Self::ArgsGetRaw, Self::ArgsPostRaw),
            Self::ArgsNamesRaw => Source::NamesOf(Self::ArgsGetRaw, Self::ArgsPostRaw),
            Self::ArgsGetNamesRaw => Source::Names(Self::ArgsGetRaw),
            Self::ArgsPostNamesRaw => Source::Names(Self::ArgsPostRaw),
            Self::RequestCookiesNames => Source::Names(Self::RequestCookies),
            Self::RequestHeadersNames => Source::Names(Self::RequestHeaders),
            Self::ResponseHeadersNames => Source::Names(Self::ResponseHeaders),
            Self::FilesNames => Source::Names(Self::Files),
            Self::ArgsGet
            | Self::ArgsGetRaw
            | Self::ArgsPost
            | Self::ArgsPostRaw
            | Self::Files
            | Self::FilesSizes
            | Self::FilesTmpContent
            | Self::MultipartFilename
            | Self::MultipartName
            | Self::MultipartPartHeaders
            | Self::RequestCookies
            | Self::RequestHeaders
            | Self::ResponseHeaders
            | Self::Xml => Source::List,
            Self::Tx
            | Self::Env
            | Self::Global
            | Self::Ip
            | Self::Resource
            | Self::Session
            | Self::User => Source::Kept,
            Self::MatchedVar
            | Self::MatchedVarName
            | Self::MatchedVars
            | Self::MatchedVarsNames
            | Self::HighestSeverity => Source::Matched,
            Self::Rule => Source::OfRule,
            _ => Source::Scalar,
        }
    }

    /// Whether `NAME:selector` says something.
    pub(crate) fn takes_selector(self) -> bool {
        match self.source() {
            Source::Scalar => false,
            Source::Matched => matches!(self, Self::MatchedVars | Self::MatchedVarsNames),
            _ => true,
        }
    }
}
