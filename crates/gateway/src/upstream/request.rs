//! A request as its service gets it, before it is framed for the hop there.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::key::Key;
use crate::body::Carried;

/// See the module.
#[derive(Debug)]
pub(crate) struct ServiceRequest {
    pub(crate) method: Method,
    /// In origin form.
    pub(crate) uri: Uri,
    pub(crate) fields: Fields,
    pub(crate) body: Carried,
    /// What it shares with others that are to reach the same address.
    pub(crate) key: Option<Key>,
    /// Its client takes trailers (RFC 9110 §10.1.4).
    pub(crate) takes_trailers: bool,
}

impl ServiceRequest {
    /// Path and query.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", PathAndQuery::as_str)
    }
}

/// Fields in the order in which they are sent. A list: nothing is looked for in it any more, and
/// every field of every request goes through it.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(HeaderName, HeaderValue)>);

impl Fields {
    /// The fields of `headers` whose names are not `is_gone`, with room for `more`.
    pub(crate) fn of(
        headers: HeaderMap,
        is_gone: impl Fn(&HeaderName) -> bool,
        more: usize,
    ) -> Self {
        let mut fields = Vec::with_capacity(headers.len().saturating_add(more));
        // Of several values of one name only the first comes with it.
        let mut last = None;
        for (name, value) in headers {
            let name = match name {
                Some(name) => last.insert((!is_gone(&name)).then_some(name)),
                None => match &mut last {
                    Some(last) => last,
                    None => continue,
                },
            };
            if let Some(name) = name {
                fields.push((name.clone(), value));
            }
        }
        Self(fields)
    }

    /// One more.
    pub(crate) fn push(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The first value of `name`.
    pub(super) fn first(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let mut found = self.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| value)
    }
}

#[cfg(test)]
impl From<http::Request<Carried>> for ServiceRequest {
    fn from(request: http::Request<Carried>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            uri: parts.uri,
            fields: Fields::of(parts.headers, |_| false, 0),
            body,
            key: parts.extensions.get::<Key>().copied(),
            takes_trailers: parts.extensions.get::<crate::trailers::Taken>().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn fields_keep_every_value_of_a_name_and_lose_every_value_of_another() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("a", "1"),
            ("gone", "2"),
            ("a", "3"),
            ("gone", "4"),
            ("b", "5"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut fields = Fields::of(headers, |name| name == "gone", 1);
        fields.push(header::HOST, HeaderValue::from_static("shop.example"));
        let mut all: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        all.sort_unstable();
        assert_eq!(all, ["a=1", "a=3", "b=5", "host=shop.example"]);
        assert_eq!(fields.first(&header::HOST).unwrap(), "shop.example");
    }
}
