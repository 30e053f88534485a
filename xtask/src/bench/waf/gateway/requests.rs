//! The requests of the gateway's part: as wrk sends them, and once by hand, to see that each side
//! decides as it should.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use super::super::cases::{FIELDS, GET_TARGET, json};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Get,
    Json,
}

/// What is not honest, and what Rampart's inspection, which every side of it has, lets through: only
/// the sides with rules refuse it.
const ATTACK: &str = "require%28%27child_process%27%29.exec%28%27id%27%29";
const ATTACK_JSON: &str = r#"{"items":[{"id":1,"name":"require('child_process').exec('id')"}]}"#;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// LIMIT: bytes of one answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

impl Case {
    pub(super) const ALL: [Self; 2] = [Self::Get, Self::Json];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET, 3 arguments",
            Self::Json => "JSON POST, 1.8 kB, 108 values",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Json => "json",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Json => "POST",
        }
    }

    fn honest(self) -> Request {
        match self {
            Self::Get => Request::of(self, GET_TARGET.to_owned(), String::new()),
            Self::Json => Request::of(self, "/order".to_owned(), json()),
        }
    }

    fn attack(self) -> Request {
        match self {
            Self::Get => Request::of(self, format!("/shop/search?q={ATTACK}"), String::new()),
            Self::Json => Request::of(self, "/order".to_owned(), ATTACK_JSON.to_owned()),
        }
    }

    /// The honest request, as a script of wrk.
    pub(super) fn script(self) -> String {
        let request = self.honest();
        let mut text = format!(
            "wrk.method = \"{}\"\nwrk.path = \"{}\"\n",
            self.method(),
            request.target
        );
        for (name, value) in &request.fields {
            text.push_str(&format!("wrk.headers[\"{name}\"] = \"{value}\"\n"));
        }
        if !request.body.is_empty() {
            // A long bracket, so that nothing in it means anything.
            text.push_str(&format!("wrk.body = [==[{}]==]\n", request.body));
        }
        text
    }

    /// Status and text of the answers to an honest request and to an attack.
    pub(super) fn ask(self, address: SocketAddr) -> anyhow::Result<[(u16, String); 2]> {
        Ok([self.honest().ask(address)?, self.attack().ask(address)?])
    }
}

struct Request {
    method: &'static str,
    target: String,
    fields: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Request {
    fn of(case: Case, target: String, body: String) -> Self {
        let mut fields = FIELDS.to_vec();
        if !body.is_empty() {
            fields.push(("Content-Type", "application/json"));
        }
        Self {
            method: case.method(),
            target,
            fields,
            body,
        }
    }

    fn ask(&self, address: SocketAddr) -> anyhow::Result<(u16, String)> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(text.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.with_context(|| format!("no answer of HTTP: `{answer}`"))?;
        Ok((status, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_says_all_of_a_request() {
        let script = Case::Json.script();
        assert!(script.starts_with("wrk.method = \"POST\"\nwrk.path = \"/order\"\n"));
        assert!(script.contains("wrk.headers[\"Content-Type\"] = \"application/json\"\n"));
        assert!(script.contains("wrk.body = [==[{\"items\":[{\"id\":0,"));
        assert!(!Case::Get.script().contains("wrk.body"));
        let get = Case::Get.script();
        assert!(get.contains("wrk.path = \"/shop/search?q=garden+chairs&page=2&sort=price\""));
    }
}
