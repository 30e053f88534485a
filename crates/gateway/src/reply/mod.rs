//! An answer on its way from a service, or from a step, to the client, before it is framed for the
//! connection there.

mod fields;
mod fixed;
mod known;

use http::{Response, StatusCode};

use crate::exchange::Outgoing;
pub(crate) use fields::{Line, ReplyFields};
pub(crate) use known::{Known, KnownSet};

/// See the module.
#[derive(Debug)]
pub(crate) struct Reply<B = Outgoing> {
    pub(crate) status: StatusCode,
    pub(crate) fields: ReplyFields,
    pub(crate) body: B,
}

impl<B> Reply<B> {
    /// The same with another body.
    pub(crate) fn map<C>(self, body: impl FnOnce(B) -> C) -> Reply<C> {
        Reply {
            status: self.status,
            fields: self.fields,
            body: body(self.body),
        }
    }
}

impl<B> From<Response<B>> for Reply<B> {
    fn from(response: Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            fields: parts.headers.into(),
            body,
        }
    }
}
