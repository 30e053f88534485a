//! One request on its way through the steps: what is known about it so far.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use estate::{AuthRequest, Mode};
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use model::{RequestId, Timestamp};

use crate::caller::Caller;
use crate::exchange::{Connection, Incoming};
use crate::limiter::{Permits, Policy};
use crate::records;
use crate::refused::{Effect, Refused, effect_of};
use crate::router::RouteIndex;
use crate::ruled::Judged;
use crate::shared::Shared;
use crate::state::{self, Chosen, State};

/// See the module.
#[derive(Debug)]
pub(crate) struct Flow<'a> {
    /// What every request reaches.
    pub(crate) shared: &'a Shared,
    /// What is decided by.
    pub(crate) state: &'a State,
    /// The connection it came over.
    pub(crate) connection: &'a Connection,
    /// When it began.
    pub(crate) time: Timestamp,
    /// When it began, for measuring.
    pub(crate) started: Duration,
    /// Its id, in records, answers and at the service.
    pub(crate) id: RequestId,
    /// Its head; the path is canonical once the step `path` is done.
    pub(crate) head: Parts,
    /// Its body, until somebody takes it.
    pub(crate) body: Option<Incoming>,
    /// Who sent it: the peer, or whom a trusted proxy names.
    pub(crate) client: IpAddr,
    /// Whether TLS protects it, here or at a trusted proxy.
    pub(crate) secure: bool,
    /// The host it asks for.
    pub(crate) host: Host,
    /// Its route.
    pub(crate) route: Option<RouteIndex>,
    /// Whether it is a call of gRPC.
    pub(crate) is_call: bool,
    /// What it is in its route's OpenAPI document, once that is known.
    pub(crate) operation: Option<&'a openapi::Operation>,
    /// Whether it is for the console.
    pub(crate) console: bool,
    /// Who it is.
    pub(crate) caller: Option<Caller>,
    /// Bytes of its body.
    pub(crate) body_bytes: u64,
    /// The tightest limit it was counted under, for `RateLimit`.
    pub(crate) limit: Option<Counted<'a>>,
    /// Its places among the requests under way; given back with it, or with its answer.
    pub(crate) permits: Option<Box<Permits>>,
    /// When a service was asked, for measuring.
    pub(crate) sent: Option<Duration>,
    /// What steps that only observe would have refused.
    pub(crate) observed: Vec<Refused>,
    /// How far rules have looked at it; nothing where there are none, or they have ended.
    pub(crate) judged: Option<Box<Judged<'a>>>,
    /// Ids of rules that it matched.
    pub(crate) rules: Vec<u64>,
    /// By which headers a proxy in front asks about it, when it was not sent here itself.
    pub(crate) asked: AuthRequest,
    /// It was decided before, and is only looked at again: it uses nothing and counts nowhere.
    pub(crate) again: bool,
}

/// What a limit left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    /// The limit.
    pub(crate) policy: &'a Policy,
    /// What it said.
    pub(crate) said: net::Decision,
}

/// The host of a request: lower case, with and without its port, without a copy where it came in
/// lower case.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    value: HeaderValue,
    name_bytes: usize,
}

impl Host {
    /// From the `Host` header, which the front checked; empty when it is none.
    pub(crate) fn of(value: Option<&HeaderValue>) -> Self {
        let empty = HeaderValue::from_static("");
        let value = match value {
            None => empty,
            Some(value) if value.as_bytes().iter().any(u8::is_ascii_uppercase) => {
                HeaderValue::from_bytes(&value.as_bytes().to_ascii_lowercase()).unwrap_or(empty)
            }
            Some(value) => value.clone(),
        };
        let text = value.as_bytes();
        // The last colon of an IPv6 address stands inside its brackets.
        let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit());
        let before = text.len().saturating_sub(digits.count());
        let name = match text.get(..before) {
            Some([name @ .., b':']) => name,
            _ => text,
        };
        let name_bytes = name.strip_suffix(b".").unwrap_or(name).len();
        Self { value, name_bytes }
    }

    /// The name alone.
    pub(crate) fn name(&self) -> &str {
        let text = self.value.to_str().unwrap_or("");
        text.get(..self.name_bytes).unwrap_or("")
    }

    /// Name and port, as the client sees them.
    pub(crate) fn authority(&self) -> &str {
        self.value.to_str().unwrap_or("")
    }

    /// A colon and the port, or nothing.
    pub(crate) fn port(&self) -> &str {
        let after = self.authority().get(self.name_bytes..).unwrap_or("");
        after.strip_prefix('.').unwrap_or(after)
    }

    /// The header's value.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }
}

impl<'a> Flow<'a> {
    /// The path; canonical once the step `path` is done.
    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Its route, once it has one.
    pub(crate) fn chosen(&self) -> Option<Chosen<'a>> {
        self.state.route(self.route?)
    }

    /// The route's name for records.
    pub(crate) fn route_name(&self) -> &'a str {
        match self.chosen() {
            Some(chosen) => &chosen.route.name,
            None if self.console => state::CONSOLE,
            None => state::NONE,
        }
    }

    /// A header that may stand once; `Err` when it is repeated.
    pub(crate) fn single(&self, name: &HeaderName) -> Result<Option<&HeaderValue>, ()> {
        let mut values = self.head.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(());
        }
        Ok(first)
    }

    /// A header's text, when it stands once and is text.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.single(name).ok().flatten()?.to_str().ok()
    }

    /// Whether it is a browser that shows what it gets.
    pub(crate) fn shows_pages(&self) -> bool {
        self.text(&header::ACCEPT)
            .is_some_and(|accept| accept.contains("text/html"))
    }

    /// A step refuses: in `block` the request ends here, in `observe` it is recorded and goes on.
    pub(crate) fn enforce(&mut self, mode: Mode, refused: Refused) -> Result<(), Refused> {
        match mode {
            Mode::Block => Err(refused),
            Mode::Observe if self.again => Ok(()),
            Mode::Observe => {
                if !waits(&refused) {
                    self.record(&refused, Mode::Observe);
                }
                self.observed.push(refused);
                Ok(())
            }
        }
    }

    /// Leaves an event of a refusal, carried out or observed.
    pub(crate) fn record(&self, refused: &Refused, mode: Mode) {
        self.tell(refused, mode, &self.observed, None);
    }

    /// Leaves the events that waited for the service's answer; `answered` is its status, where there
    /// was one.
    pub(crate) fn record_late(&self, answered: Option<u16>) {
        for (at, one) in self.observed.iter().enumerate().filter(|one| waits(one.1)) {
            let before = self.observed.get(..at).unwrap_or_default();
            self.tell(one, Mode::Observe, before, answered);
        }
    }

    fn tell(&self, refused: &Refused, mode: Mode, before: &[Refused], answered: Option<u16>) {
        let meter = &self.shared.metrics;
        match mode {
            Mode::Block => meter.refused_at(self.slot(), refused.code),
            Mode::Observe => meter.observed_at(self.slot(), refused.code),
        }
        let Some(recorder) = &self.shared.recorder else {
            return;
        };
        let route = self.route_name();
        let more = refused.more();
        let before = before.iter().map(|one| one.code);
        recorder.refused(records::Refusal {
            time: self.time,
            request_id: self.id,
            source: self.client,
            host: self.host.name(),
            method: self.head.method.as_str(),
            path: self.path(),
            route: (route != state::NONE).then_some(route),
            principal: self.caller.as_ref().map(Caller::principal),
            code: refused.code,
            text: &refused.text,
            status: refused.status.as_u16(),
            mode,
            after: before
                .into_iter()
                .find(|code| effect_of(code) == Effect::Refuses),
            rule: more.rule,
            argument: more.argument.as_deref(),
            matches: &more.matches,
            score: more.score,
            decision: more.decision.as_ref(),
            answered,
        });
    }

    /// Its client's address as text.
    pub(crate) fn client_text(&self) -> Cow<'_, str> {
        if self.client == self.connection.peer.ip().to_canonical() {
            return Cow::Borrowed(&self.connection.address);
        }
        Cow::Owned(self.client.to_string())
    }

    /// Where it is counted.
    pub(crate) fn slot(&self) -> crate::metrics::RouteSlot {
        match self.chosen() {
            Some(chosen) => chosen.slot,
            None if self.console => self.state.console_slot,
            None => self.state.no_slot,
        }
    }
}

/// Whether an observation is recorded when the request has been answered: what a service makes of
/// what rules would have refused tells attacks from false positives.
fn waits(observed: &Refused) -> bool {
    observed.code == "waf.match"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_lower_case_without_port_and_final_dot() {
        for (header, name, port) in [
            ("Shop.Example:8443", "shop.example", ":8443"),
            ("shop.example", "shop.example", ""),
            ("shop.example.:443", "shop.example", ":443"),
            ("[::1]:8443", "[::1]", ":8443"),
            ("[::1]", "[::1]", ""),
        ] {
            let host = Host::of(Some(&HeaderValue::from_static(header)));
            assert_eq!((host.name(), host.port()), (name, port), "{header}");
        }
        assert_eq!(Host::of(None).name(), "");
    }
}
