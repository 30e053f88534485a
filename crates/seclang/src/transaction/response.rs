//! A response's head and body.

use super::{ResponseHead, Transaction};
use crate::bytes::{head, trim};
use crate::settings::{EngineMode, LimitAction};
use crate::variable::Variable;
use crate::verdict::{Action, Interruption, Verdict};

impl Transaction<'_> {
    /// Takes a response's head and runs phase 3.
    pub fn response_head(&mut self, response: &ResponseHead<'_>) -> Verdict {
        self.resume();
        self.set_number(Variable::ResponseStatus, usize::from(response.status));
        self.set(Variable::ResponseProtocol, response.protocol);
        let line = [
            response.protocol,
            b" ",
            response.status.to_string().as_bytes(),
        ]
        .concat();
        self.set(Variable::StatusLine, &line);
        for (name, value) in response.fields {
            self.add(Variable::ResponseHeaders, name, value);
            if name.eq_ignore_ascii_case(b"content-type") {
                self.set(Variable::ResponseContentType, value);
            } else if name.eq_ignore_ascii_case(b"content-length") {
                self.set(Variable::ResponseContentLength, trim(value));
            }
        }
        if self.interruption.is_none() {
            self.phase(3);
        }
        self.verdict()
    }

    /// Takes a response's body, empty when it is none or was not wanted, and runs phase 4.
    ///
    /// LIMIT: what is longer than `SecResponseBodyLimit` is refused with status 500, or only its
    /// beginning is looked at, as the rules have chosen.
    pub fn response_body(&mut self, body: &[u8]) -> Verdict {
        self.resume();
        if self.interruption.is_some() || self.state.engine == EngineMode::Off {
            return self.verdict();
        }
        if self.wants_response_body() {
            let settings = &self.rules.settings;
            let limit = self.state.response_body_limit_bytes;
            if body.len() > limit {
                self.set(Variable::OutboundDataError, b"1");
                if settings.response_body_limit_action == LimitAction::Reject {
                    self.end(Interruption {
                        rule: 0,
                        place: None,
                        phase: 4,
                        status: 500,
                        action: Action::Deny,
                    });
                    return self.verdict();
                }
            }
            let body = head(body, limit);
            self.set_number(Variable::ResponseContentLength, body.len());
            self.set(Variable::ResponseBody, body);
        }
        self.phase(4);
        self.verdict()
    }

    /// Whether rules want to look at bodies of this type. A response without a type is looked at:
    /// clients guess one.
    pub(super) fn is_wanted_type(&self) -> bool {
        let Some(entry) = self.store.list(Variable::ResponseContentType).first() else {
            return true;
        };
        let value = self.values.get(entry.value);
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let essence = trim(head(value, end)).to_ascii_lowercase();
        self.rules.settings.response_body_types.contains(&essence)
    }
}
