//! One exchange held to the rules of its route: the request as rules see it, and what they said.
//!
//! Never decides what becomes of it: that is the step's (`steps/waf.rs`). Nothing here waits.

mod begun;
mod hold;
mod places;
mod told;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use estate::AuthRequest;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use seclang::{Connection, Moment, RequestHead, ResponseHead, Ruleset, Transaction};

use crate::cookies;
use crate::flow::Flow;
use crate::reply::ReplyFields;

pub(crate) use begun::Begun;
pub(crate) use hold::{Kept, hold};
pub(crate) use places::Places;
#[cfg(test)]
pub(crate) use told::Found;
pub(crate) use told::{Matched, Part, Told};

/// Longer bodies are looked into off the worker's thread.
pub(crate) const INLINE_BYTES_MAX: usize = 16 * 1024;

/// A request as rules see it: what the service will get of it, before Rampart adds anything.
#[derive(Debug)]
pub(crate) struct Exchange {
    method: Method,
    target: String,
    protocol: &'static str,
    fields: Vec<(HeaderName, HeaderValue)>,
    client: IpAddr,
    client_port: u16,
    server_port: u16,
    moment: Moment,
    id: String,
    route: String,
}

/// An exchange that rules have begun to look at.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    /// The request.
    pub(crate) exchange: std::sync::Arc<Exchange>,
    /// How far the rules have come; nothing when that was done elsewhere.
    pub(crate) transaction: Option<Box<Transaction<'a>>>,
    /// Matches of the request, which are not the answer's.
    pub(crate) told: usize,
    /// Bytes that may still be looked at.
    pub(crate) budget_bytes: u64,
    /// How long it took so far.
    pub(crate) took: Duration,
}

impl Exchange {
    /// The request of `flow`, whose path is canonical: that is what the service gets.
    pub(crate) fn of(flow: &Flow<'_>) -> Self {
        let headers = &flow.head.headers;
        // Two more may be added.
        let mut fields: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(headers.len() + 2);
        let others = headers.iter().filter(|(name, _)| **name != header::COOKIE);
        fields.extend(others.map(|(name, value)| (name.clone(), value.clone())));
        foreign_cookies(headers, &mut fields);
        let is_framed = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        let has_body = flow.body.as_ref().is_some_and(|body| {
            use http_body::Body as _;
            !body.is_end_stream()
        });
        // The front takes the framing off; rules ask whether a body was announced.
        if has_body && !is_framed && !flow.connection.http2 {
            let chunked = HeaderValue::from_static("chunked");
            fields.push((header::TRANSFER_ENCODING, chunked));
        }
        // A proxy that asks keeps the body, and often the framing too: to rules, a POST without any
        // would be odd.
        if flow.asked != AuthRequest::Off && !is_framed && !flow.head.method.is_safe() {
            fields.push((header::CONTENT_LENGTH, HeaderValue::from_static("0")));
        }
        let target = flow.head.uri.path_and_query();
        Self {
            method: flow.head.method.clone(),
            target: target.map_or("/", |target| target.as_str()).to_owned(),
            protocol: if flow.connection.http2 {
                "HTTP/2"
            } else {
                "HTTP/1.1"
            },
            fields,
            client: flow.client,
            client_port: flow.connection.peer.port(),
            server_port: if flow.secure { 443 } else { 80 },
            moment: Moment {
                epoch_s: flow.time.as_secs(),
                offset_s: 0,
            },
            id: flow.id.text().as_str().to_owned(),
            route: flow.route_name().to_owned(),
        }
    }

    /// Puts the head through phase 1 of `rules`.
    pub(crate) fn begin<'r>(&self, rules: &'r Ruleset, budget_bytes: u64) -> Transaction<'r> {
        let connection = Connection {
            client: self.client,
            client_port: self.client_port,
            server: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            server_port: self.server_port,
            moment: self.moment,
            unique_id: self.id.as_bytes(),
        };
        let mut transaction = Transaction::new(rules, &connection)
            .with_application(self.route.as_bytes())
            .with_budget(budget_bytes);
        let method = self.method.as_str();
        let line = [method, &self.target, self.protocol].join(" ");
        let fields: Vec<(&[u8], &[u8])> = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect();
        transaction.request_head(&RequestHead {
            line: line.as_bytes(),
            method: method.as_bytes(),
            target: self.target.as_bytes(),
            protocol: self.protocol.as_bytes(),
            fields: &fields,
        });
        transaction
    }
}

/// Puts the head of an answer through phase 3.
pub(crate) fn answered(transaction: &mut Transaction<'_>, status: u16, fields: &ReplyFields) {
    let fields: Vec<(&[u8], &[u8])> = fields.iter().collect();
    transaction.response_head(&ResponseHead {
        status,
        protocol: b"HTTP/1.1",
        fields: &fields,
    });
}

/// Cookies that reach the service: Rampart's own are random, and nobody's to look at.
fn foreign_cookies(headers: &HeaderMap, fields: &mut Vec<(HeaderName, HeaderValue)>) {
    let mut add = |headers: &HeaderMap| {
        let values = headers.get_all(header::COOKIE).iter();
        fields.extend(values.map(|value| (header::COOKIE, value.clone())));
    };
    if !cookies::are_there(headers) {
        return add(headers);
    }
    let mut kept = HeaderMap::new();
    for value in headers.get_all(header::COOKIE) {
        kept.append(header::COOKIE, value.clone());
    }
    cookies::strip(&mut kept);
    add(&kept);
}

#[cfg(test)]
mod tests;
