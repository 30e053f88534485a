//! What a request's head says: its line, its fields, its query and its cookies.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::{Connection, RequestHead, Transaction};
use crate::body::urlencoded;
use crate::bytes::{at, begins_ignore_case, head, hex_pair, split_once, tail, trim, trim_left};
use crate::moment::Moment;
use crate::settings::Processor;
use crate::variable::Variable;
use crate::verdict::Verdict;

impl Transaction<'_> {
    /// Takes a request's head and runs phase 1.
    pub fn request_head(&mut self, request: &RequestHead<'_>) -> Verdict {
        self.resume();
        self.line(request);
        self.fields(request);
        if self.rules.uses(Variable::FullRequest) || self.rules.uses(Variable::FullRequestLength) {
            self.full_request(request);
        }
        self.sizes();
        self.phase(1);
        self.verdict()
    }

    pub(super) fn connection(&mut self, connection: &Connection<'_>) {
        let client = text_of(connection.client);
        let client = client.as_bytes();
        self.set_both(
            (Variable::RemoteAddr, client),
            (Variable::RemoteHost, client),
        );
        self.set_number(Variable::RemotePort, usize::from(connection.client_port));
        let server = text_of(connection.server);
        self.set(Variable::ServerAddr, server.as_bytes());
        self.set_number(Variable::ServerPort, usize::from(connection.server_port));
        self.set(Variable::UniqueId, connection.unique_id);
        let web_app = self.rules.settings.web_app_id.clone();
        self.set(Variable::WebAppId, &web_app);
        self.set(Variable::ModsecBuild, b"030000000");
        self.set(Variable::Duration, b"0");
        self.times(connection.moment);
        // What a body could get wrong is right until a body says otherwise.
        let zeros = [
            Variable::ArgsCombinedSize,
            Variable::FilesCombinedSize,
            Variable::InboundDataError,
            Variable::OutboundDataError,
            Variable::ReqbodyError,
            Variable::ReqbodyProcessorError,
            Variable::RequestBodyLength,
            Variable::UrlencodedError,
            Variable::MscPcreError,
            Variable::MscPcreLimitsExceeded,
        ];
        for variable in zeros {
            self.set(variable, b"0");
        }
        // These are there from the beginning, and empty.
        let empty = [
            Variable::ReqbodyErrorMsg,
            Variable::ReqbodyProcessor,
            Variable::ReqbodyProcessorErrorMsg,
            Variable::SessionId,
            Variable::UserId,
        ];
        for variable in empty {
            self.set(variable, b"");
        }
    }

    /// The time in its parts, where rules ask for them.
    fn times(&mut self, moment: Moment) {
        let all = [
            Variable::Time,
            Variable::TimeDay,
            Variable::TimeEpoch,
            Variable::TimeHour,
            Variable::TimeMin,
            Variable::TimeMon,
            Variable::TimeSec,
            Variable::TimeWday,
            Variable::TimeYear,
        ];
        if !all.iter().any(|variable| self.rules.uses(*variable)) {
            return;
        }
        let time = moment.calendar();
        let clock = format!("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
        self.set(Variable::Time, clock.as_bytes());
        let numbers = [
            (Variable::TimeDay, time.day),
            (Variable::TimeEpoch, moment.epoch_s),
            (Variable::TimeHour, time.hour),
            (Variable::TimeMin, time.minute),
            // Months are counted from zero, as in C.
            (Variable::TimeMon, time.month - 1),
            (Variable::TimeSec, time.second),
            (Variable::TimeWday, time.weekday),
            (Variable::TimeYear, time.year),
        ];
        for (variable, number) in numbers {
            self.set_number(variable, usize::try_from(number).unwrap_or_default());
        }
    }

    fn line(&mut self, request: &RequestHead<'_>) {
        self.set(Variable::RequestLine, request.line);
        self.set(Variable::RequestMethod, request.method);
        self.set(Variable::RequestProtocol, request.protocol);
        let origin = origin_form(request.target);
        self.set_both(
            (Variable::RequestUriRaw, request.target),
            (Variable::RequestUri, origin),
        );
        let (path, query) = split_once(origin, b'?').unwrap_or((origin, &[]));
        // RFC 9110 §4.2.5: a fragment is never part of what is asked for.
        let path = head(path, memchr::memchr(b'#', path).unwrap_or(path.len()));
        // Decoded only after it was told from the query: `%3f` is part of a path.
        let path = &decoded(path);
        self.set_both(
            (Variable::RequestFilename, path),
            (Variable::PathInfo, path),
        );
        let slash = path.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
        self.set(
            Variable::RequestBasename,
            slash.map_or(path, |slash| tail(path, slash + 1)),
        );
        self.set(Variable::QueryString, query);
        let settings = &self.rules.settings;
        let form = urlencoded::read(query, settings.argument_separator, settings.arguments_limit);
        if form.invalid > 0 {
            self.set(Variable::UrlencodedError, b"1");
        }
        for (name, value) in form.pairs.iter() {
            self.add(Variable::ArgsGet, name, value);
        }
        self.raw_arguments(Variable::ArgsGetRaw, query);
        if form.too_many {
            self.body_problem("the query has too many arguments");
        }
    }

    /// Arguments as they were sent, where rules ask for them.
    pub(super) fn raw_arguments(&mut self, list: Variable, text: &[u8]) {
        let asked = [
            Variable::ArgsRaw,
            Variable::ArgsNamesRaw,
            Variable::ArgsGetRaw,
            Variable::ArgsGetNamesRaw,
            Variable::ArgsPostRaw,
            Variable::ArgsPostNamesRaw,
        ];
        if !asked.iter().any(|variable| self.rules.uses(*variable)) {
            return;
        }
        let settings = &self.rules.settings;
        let (separator, most) = (settings.argument_separator, settings.arguments_limit);
        for (name, value) in urlencoded::raw(text, separator, most) {
            self.add(list, name, value);
        }
    }

    fn fields(&mut self, request: &RequestHead<'_>) {
        for (name, value) in request.fields {
            self.add(Variable::RequestHeaders, name, value);
            if name.eq_ignore_ascii_case(b"cookie") {
                self.cookies(value);
            }
        }
        let host = self.field(request, b"host").unwrap_or_default();
        // RFC 9110 §7.2: a port after the name, which itself may be an address in brackets.
        let end = match host.first() {
            Some(b'[') => memchr::memchr(b']', host).map(|end| end + 1),
            _ => memchr::memchr(b':', host),
        };
        self.set(Variable::ServerName, head(host, end.unwrap_or(host.len())));
        if let Some(authorization) = self.field(request, b"authorization") {
            let (scheme, rest) = split_once(authorization, b' ').unwrap_or((authorization, &[]));
            self.set(Variable::AuthType, scheme);
            if scheme.eq_ignore_ascii_case(b"basic") {
                self.remote_user(rest);
            }
        }
        self.choose_processor(request);
    }

    fn field<'h>(&self, request: &RequestHead<'h>, name: &[u8]) -> Option<&'h [u8]> {
        let mut fields = request.fields.iter();
        fields
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    fn remote_user(&mut self, credentials: &[u8]) {
        use base64::Engine as _;
        let decoded = base64::engine::general_purpose::STANDARD.decode(trim(credentials));
        if let Ok(decoded) = decoded
            && let Some((user, _)) = split_once(&decoded, b':')
        {
            self.set(Variable::RemoteUser, user);
        }
    }

    /// Cookies of version 0 (RFC 6265 §4.2.1): a pair without `=` is a name.
    fn cookies(&mut self, value: &[u8]) {
        let settings = &self.rules.settings;
        let separator = settings.cookie_separator;
        for (at, pair) in value.split(|byte| *byte == separator).enumerate() {
            // LIMIT: as many cookies as arguments. SECURITY: the others are not looked at, and rules
            // are told so.
            if at >= settings.arguments_limit {
                self.body_problem("there are too many cookies");
                break;
            }
            let pair = trim_left(pair);
            if pair.is_empty() {
                continue;
            }
            let (name, value) = split_once(pair, b'=').unwrap_or((pair, &[]));
            self.add(Variable::RequestCookies, name, value);
        }
    }

    /// Which reader the body gets, by the type it is said to have. `ctl:` may say otherwise.
    fn choose_processor(&mut self, request: &RequestHead<'_>) {
        let mut types = request
            .fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        let Some((_, first)) = types.next() else {
            return;
        };
        let first = by_type(first);
        // SECURITY: a service may believe the other type. The body is read by the first, and rules
        // are told that it cannot be relied on.
        if types.any(|(_, other)| by_type(other) != first) {
            self.body_problem("Content-Type is said twice, and differently");
        }
        if let Some(processor) = first {
            self.state.processor = Some(processor);
            self.set(Variable::ReqbodyProcessor, processor.name().as_bytes());
        }
    }

    pub(super) fn body_problem(&mut self, problem: &str) {
        for variable in [Variable::ReqbodyError, Variable::ReqbodyProcessorError] {
            self.set(variable, b"1");
        }
        for variable in [
            Variable::ReqbodyErrorMsg,
            Variable::ReqbodyProcessorErrorMsg,
        ] {
            self.set(variable, problem.as_bytes());
        }
    }

    fn full_request(&mut self, request: &RequestHead<'_>) {
        let mut text = [request.line, b"\n"].concat();
        for (name, value) in request.fields {
            text.extend_from_slice(&[name, b": ".as_slice(), value, b"\n"].concat());
        }
        text.push(b'\n');
        self.set_number(Variable::FullRequestLength, text.len());
        self.set(Variable::FullRequest, &text);
    }

    /// `ARGS_COMBINED_SIZE`, from the arguments known so far.
    pub(super) fn sizes(&mut self) {
        let lists = [Variable::ArgsGet, Variable::ArgsPost];
        let entries = lists.iter().flat_map(|list| self.store.list(*list));
        let size = entries.map(|entry| self.values.len(entry.name) + self.values.len(entry.value));
        let size: usize = size.sum();
        self.set_number(Variable::ArgsCombinedSize, size);
    }
}

/// An address as text, at most 45 bytes.
fn text_of(address: IpAddr) -> String {
    let mut text = String::with_capacity(45);
    // Writing to a string does not fail.
    write!(text, "{address}").unwrap_or_default();
    text
}

fn by_type(value: &[u8]) -> Option<Processor> {
    let value = trim_left(value);
    if begins_ignore_case(value, b"application/x-www-form-urlencoded") {
        Some(Processor::Urlencoded)
    } else if begins_ignore_case(value, b"multipart/form-data") {
        Some(Processor::Multipart)
    } else {
        None
    }
}

/// A path with its escapes decoded; `+` is a letter there.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut i = 0;
    while let Some(byte) = at(path, i) {
        match hex_pair(path, i + 1).filter(|_| byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                i += 3;
            }
            None => {
                out.push(byte);
                i += 1;
            }
        }
    }
    out
}

/// The target without the scheme and authority of an absolute form (RFC 9112 §3.2.2).
fn origin_form(target: &[u8]) -> &[u8] {
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let scheme = schemes
        .iter()
        .find(|scheme| begins_ignore_case(target, scheme));
    let Some(scheme) = scheme else {
        return target;
    };
    let rest = tail(target, scheme.len());
    match rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
    {
        Some(at) => tail(rest, at),
        None => b"/",
    }
}
