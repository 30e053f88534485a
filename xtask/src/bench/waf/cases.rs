//! The requests that are measured.

/// A kind of request.
pub(super) struct Case {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// Makes a file of requests.
    pub(super) requests: fn(&mut Noise) -> Vec<u8>,
    /// How often libmodsecurity runs the file in a round; `seclang` four times as often.
    pub(super) times: u32,
    /// Whether every request is another one: then a file is run once.
    pub(super) fresh: bool,
    /// Whether it is to be blocked.
    pub(super) blocked: bool,
    /// How many times faster than libmodsecurity `seclang` is at least.
    pub(super) bar: Option<f64>,
}

/// All of them.
pub(super) const CASES: &[Case] = &[
    Case {
        key: "get",
        name: "GET, 3 arguments",
        requests: |_| get(GET_TARGET),
        times: 20,
        fresh: false,
        blocked: false,
        bar: Some(20.0),
    },
    Case {
        key: "json",
        name: "JSON POST, 1.8 kB, 108 values",
        requests: |_| post("application/json", json().as_bytes()),
        times: 4,
        fresh: false,
        blocked: false,
        bar: Some(20.0),
    },
    Case {
        key: "form",
        name: "form POST, 5 fields",
        requests: |_| {
            post(
                FORM,
                b"name=Ada+Lovelace&street=12+Some+Road&city=London&comment=please+leave+it+at+the+door&amount=3",
            )
        },
        times: 20,
        fresh: false,
        blocked: false,
        bar: Some(20.0),
    },
    Case {
        key: "sqli",
        name: "GET, SQL injection",
        requests: |_| {
            get("/shop/search?q=1%27+UNION+SELECT+user%2Cpassword+FROM+users--&page=2&sort=price")
        },
        times: 20,
        fresh: false,
        blocked: true,
        bar: Some(20.0),
    },
    Case {
        key: "form_8k",
        name: "form POST, one value of 8 kB of text",
        requests: |_| post(FORM, &text(8 << 10)),
        times: 5,
        fresh: false,
        blocked: false,
        bar: Some(10.0),
    },
    Case {
        key: "text_64k",
        name: "form POST, one value of 64 kB of text",
        requests: |_| post(FORM, &text(64 << 10)),
        times: 1,
        fresh: false,
        blocked: false,
        bar: None,
    },
    Case {
        key: "noise_64k",
        name: "form POST, one value of 64 kB of noise, each another",
        requests: |noise| {
            let bodies = (0..4).map(|_| post(FORM, &noise.body(64 << 10)));
            bodies.collect::<Vec<_>>().concat()
        },
        times: 1,
        fresh: true,
        blocked: false,
        bar: None,
    },
];

/// Noise costs at most so many times what text of its length costs.
pub(super) const NOISE_OVER_TEXT_MAX: f64 = 3.0;

/// A search with three arguments.
pub(super) const GET_TARGET: &str = "/shop/search?q=garden+chairs&page=2&sort=price";

const FORM: &str = "application/x-www-form-urlencoded";
const WORDS: &str = "the quick brown fox jumps over the lazy dog and orders a parcel of seeds ";

/// Printable bytes that look like nothing, from a seed.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(88_172_645_463_325_252 ^ seed)
    }

    fn body(&mut self, length: usize) -> Vec<u8> {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut body = b"comment=".to_vec();
        body.extend((0..length).map(|_| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let at = usize::try_from(self.0 % 64).unwrap_or_default();
            LETTERS.get(at).copied().unwrap_or(b'x')
        }));
        body
    }
}

fn text(length: usize) -> Vec<u8> {
    let text = WORDS.repeat(length.div_ceil(WORDS.len())).replace(' ', "+");
    let mut body = b"comment=".to_vec();
    body.extend(text.bytes().take(length));
    body
}

pub(super) fn json() -> String {
    let items = (0..36)
        .map(|n| format!("{{\"id\":{n},\"name\":\"item number {n}\",\"price\":\"{n}.50\"}}"));
    format!("{{\"items\":[{}]}}", items.collect::<Vec<_>>().join(","))
}

fn get(target: &str) -> Vec<u8> {
    request("GET", target, &[], b"")
}

fn post(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    request(
        "POST",
        "/order",
        &[("Content-Type", kind), ("Content-Length", &length)],
        body,
    )
}

/// What every request says.
pub(super) const FIELDS: [(&str, &str); 5] = [
    ("Host", "shop.example"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Cookie", "session=4f9c2a7e1b; theme=dark"),
];

/// As `xtask/peers/modsecurity.c` reads it.
fn request(method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut fields = FIELDS.to_vec();
    fields.extend_from_slice(more);
    let mut out = format!(
        "{method}\n{target}\n1.1\n{}\n{}\n",
        fields.len(),
        body.len()
    );
    for (name, value) in fields {
        out.push_str(&format!("{name}\n{value}\n"));
    }
    [out.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_another_each_time_and_the_same_from_its_seed() {
        let (mut one, mut two) = (Noise::new(1), Noise::new(1));
        let first = one.body(64);
        assert_eq!(first, two.body(64));
        assert_ne!(first, one.body(64));
    }

    #[test]
    fn bodies_are_as_long_as_their_names_say() {
        assert!((1_700..1_900).contains(&json().len()), "{}", json().len());
        assert_eq!(text(8 << 10).len(), 8 + (8 << 10));
    }
}
