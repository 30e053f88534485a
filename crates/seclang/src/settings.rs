//! What directives set for all rules: the engine's mode, bodies and their limits.

use crate::bytes::{shown, trim};
use crate::place::{Bad, did_you_mean};
use crate::transform::unicode_map::UnicodeMap;

/// What is done with a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineMode {
    /// Rules run, and what they say is carried out.
    On,
    /// Rules run, and what they say is only told.
    DetectionOnly,
    /// Rules do not run.
    #[default]
    Off,
}

impl EngineMode {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Bad> {
        match trim(text).to_ascii_lowercase().as_slice() {
            b"on" => Ok(Self::On),
            b"detectiononly" => Ok(Self::DetectionOnly),
            b"off" => Ok(Self::Off),
            _ => {
                Err(Bad::new(format!("`{}` is no mode", shown(text)))
                    .hint("On, DetectionOnly or Off"))
            }
        }
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    #[default]
    Off,
}

impl Switch {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Bad> {
        match trim(text).to_ascii_lowercase().as_slice() {
            b"on" | b"1" => Ok(Self::On),
            b"off" | b"0" => Ok(Self::Off),
            _ => Err(Bad::new(format!("`{}` is neither On nor Off", shown(text)))),
        }
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What reads a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data`.
    Multipart,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

impl Processor {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Bad> {
        let text = String::from_utf8_lossy(trim(text)).to_ascii_uppercase();
        let all = [Self::Urlencoded, Self::Multipart, Self::Xml, Self::Json];
        let known = all.iter().find(|known| known.name() == text);
        known.copied().ok_or_else(|| {
            Bad::new(format!("there is no body processor `{text}`"))
                .hint(did_you_mean(&text, all.iter().map(|known| known.name())))
        })
    }

    /// As `REQBODY_PROCESSOR` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Urlencoded => "URLENCODED",
            Self::Multipart => "MULTIPART",
            Self::Xml => "XML",
            Self::Json => "JSON",
        }
    }
}

/// What happens to a body beyond its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitAction {
    /// The request is refused.
    #[default]
    Reject,
    /// Only the first bytes are looked at.
    ProcessPartial,
}

impl LimitAction {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Bad> {
        match trim(text).to_ascii_lowercase().as_slice() {
            b"reject" => Ok(Self::Reject),
            b"processpartial" => Ok(Self::ProcessPartial),
            _ => Err(Bad::new(format!("`{}` is no choice", shown(text)))
                .hint("Reject or ProcessPartial")),
        }
    }
}

/// What directives set. The defaults are ModSecurity's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SecRuleEngine`.
    pub engine: EngineMode,
    /// `SecRequestBodyAccess`.
    pub request_body_access: Switch,
    /// `SecResponseBodyAccess`.
    pub response_body_access: Switch,
    /// `SecRequestBodyLimit`, in bytes.
    pub request_body_limit_bytes: usize,
    /// `SecRequestBodyNoFilesLimit`, in bytes.
    pub request_body_no_files_limit_bytes: usize,
    /// `SecRequestBodyLimitAction`.
    pub request_body_limit_action: LimitAction,
    /// `SecRequestBodyJsonDepthLimit`; also the nesting of XML.
    pub depth_limit: usize,
    /// `SecArgumentsLimit`: how many arguments a request may have.
    pub arguments_limit: usize,
    /// `SecUploadFileLimit`: how many files a form may have.
    pub file_limit: usize,
    /// `SecResponseBodyLimit`, in bytes.
    pub response_body_limit_bytes: usize,
    /// `SecResponseBodyLimitAction`.
    pub response_body_limit_action: LimitAction,
    /// `SecResponseBodyMimeType`, in lower case.
    pub response_body_types: Vec<Vec<u8>>,
    /// `SecArgumentSeparator`.
    pub argument_separator: u8,
    /// `SecCookieV0Separator`.
    pub cookie_separator: u8,
    /// `SecParseXmlIntoArgs`.
    pub xml_into_args: Switch,
    /// `SecWebAppId`.
    pub web_app_id: Vec<u8>,
    /// `SecUnicodeMapFile`.
    pub(crate) unicode: UnicodeMap,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: EngineMode::Off,
            request_body_access: Switch::Off,
            response_body_access: Switch::Off,
            request_body_limit_bytes: 128 << 20,
            request_body_no_files_limit_bytes: 1 << 20,
            request_body_limit_action: LimitAction::Reject,
            depth_limit: 512,
            arguments_limit: 1000,
            file_limit: 100,
            response_body_limit_bytes: 512 << 10,
            response_body_limit_action: LimitAction::Reject,
            response_body_types: vec![b"text/plain".to_vec(), b"text/html".to_vec()],
            argument_separator: b'&',
            cookie_separator: b';',
            xml_into_args: Switch::Off,
            web_app_id: b"default".to_vec(),
            unicode: UnicodeMap::default(),
        }
    }
}
