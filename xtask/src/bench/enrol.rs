//! Enrols the one person of the bench over control's own socket, as the gateway would forward
//! it, and makes their API key. Only the server's own user can open that socket.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use model::{Clock as _, RequestId, SystemClock, SystemEntropy};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "seven+lanterns+beside+the+weir";
/// LIMIT: bytes of one page.
const PAGE_BYTES_MAX: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one host behind one socket.
struct Visitor<'a> {
    socket: &'a Path,
    host: &'a str,
    cookies: BTreeMap<String, String>,
}

/// From a one-time link's path to an API key that may `permission`.
pub(super) fn key(
    socket: &Path,
    host: &str,
    link: &str,
    permission: &str,
) -> anyhow::Result<String> {
    let mut visitor = Visitor {
        socket,
        host,
        cookies: BTreeMap::new(),
    };
    let page = visitor.get(link)?;
    let fields = format!("password={PASSWORD}&repeat={PASSWORD}");
    let page = visitor.post(&format!("{link}/password"), &page, &fields)?;
    let seed = labelled(&page, "manual-label").context("no key for the authenticator app")?;
    let seed = Secret::try_from_base32(seed.replace(' ', ""))
        .map_err(|_| anyhow!("the authenticator's key is no base 32"))?;
    let now = u64::try_from(SystemClock::new().now().as_secs())?;
    let code = Builder::new().with_secret(seed).build()?.generate(now);
    visitor.post(
        &format!("{link}/authenticator"),
        &page,
        &format!("code={code}"),
    )?;
    let page = visitor.get("/account/keys/new")?;
    let permission = permission.replace(':', "%3A");
    let fields = format!("name=bench&days=7&networks=&permission={permission}");
    let page = visitor.post("/account/keys/new", &page, &fields)?;
    labelled(&page, "once-label").context("the API key was not shown")
}

impl Visitor<'_> {
    fn get(&mut self, target: &str) -> anyhow::Result<String> {
        self.send("GET", target, "Sec-Fetch-Site: none\r\n", "")
    }

    /// Sends the form of `page` with `fields`.
    fn post(&mut self, target: &str, page: &str, fields: &str) -> anyhow::Result<String> {
        let token = page
            .split_once("name=\"form_token\" value=\"")
            .and_then(|(_, rest)| rest.split('"').next())
            .with_context(|| format!("`{target}` has no form before it"))?;
        let body = format!("form_token={token}&{fields}");
        let origin = format!(
            "Origin: https://{}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n",
            self.host
        );
        self.send("POST", target, &origin, &body)
    }

    fn send(
        &mut self,
        method: &str,
        target: &str,
        more: &str,
        body: &str,
    ) -> anyhow::Result<String> {
        let id = RequestId::new(&SystemClock::new(), &SystemEntropy);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             x-rampart-client: 127.0.0.1\r\nx-rampart-request: {id}\r\nx-forwarded-proto: https\r\n\
             Cookie: {}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            self.host,
            cookies.join("; "),
            body.len()
        );
        let mut stream = UnixStream::connect(self.socket).context("control's socket")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(PAGE_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, page) = answer.split_once("\r\n\r\n").context("no whole answer")?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!(
                "`{target}` answered {}",
                head.lines().next().unwrap_or("nothing")
            );
        }
        self.cookies.extend(cookies_of(head));
        Ok(page.to_owned())
    }
}

/// Names and values of the cookies an answer sets.
fn cookies_of(head: &str) -> impl Iterator<Item = (String, String)> {
    head.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let pair = value.split(';').next()?;
        let (cookie, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("set-cookie")
            .then(|| (cookie.to_owned(), value.to_owned()))
    })
}

/// What stands in `<code aria-labelledby="LABEL">`.
fn labelled(page: &str, label: &str) -> Option<String> {
    let rest = page.split_once(&format!("aria-labelledby=\"{label}\">"))?.1;
    Some(rest.split('<').next()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_from_a_head() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: a=b\r\nset-cookie: __Host-x=1; Path=/\r\n";
        let found: Vec<_> = cookies_of(head).collect();
        assert_eq!(found, [("__Host-x".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_key_is_read_by_its_label() {
        let page = "<code aria-labelledby=\"once-label\">rk_a_b_c</code>";
        assert_eq!(labelled(page, "once-label").as_deref(), Some("rk_a_b_c"));
        assert_eq!(labelled(page, "manual-label"), None);
    }
}
