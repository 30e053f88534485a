//! A small browser: keeps cookies, follows redirects on this origin, fills forms as they stand.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use http::{Method, StatusCode, header};
use scraper::{Html, Selector};

use super::world::{Answered, World, request, send};

pub(crate) struct Browser<'a> {
    world: &'a World,
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self {
            world,
            router: crate::router(world.services.clone()),
            cookies: BTreeMap::new(),
        }
    }

    /// One request as the browser sends it, without following anything.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        form: Option<String>,
    ) -> Answered {
        let mut builder = request(self.world.client(), method, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::USER_AGENT, "Firefox/140.0 (X11; Linux)");
        if !self.cookies.is_empty() {
            let all: Vec<_> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            builder = builder.header(header::COOKIE, all.join("; "));
        }
        let body = match form {
            Some(form) => {
                builder = builder
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header(header::ORIGIN, "https://rampart.shop.example:8443");
                Body::from(form)
            }
            None => Body::empty(),
        };
        let answered = send(&self.router, builder.body(body).unwrap()).await;
        self.keep_cookies(&answered);
        check(&answered);
        answered
    }

    fn keep_cookies(&mut self, answered: &Answered) {
        for line in answered.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            for needed in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                assert!(line.contains(needed), "{line}");
            }
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A page, redirects on this origin followed.
    pub(crate) async fn get(&mut self, path: &str) -> Answered {
        let answered = self.ask(Method::GET, path, None).await;
        self.follow(answered).await
    }

    async fn follow(&mut self, mut answered: Answered) -> Answered {
        for _ in 0..5 {
            if answered.status != StatusCode::SEE_OTHER {
                return answered;
            }
            let to = answered.headers[header::LOCATION]
                .to_str()
                .unwrap()
                .to_owned();
            assert!(to.starts_with('/'), "redirect to {to}");
            answered = self.ask(Method::GET, &to, None).await;
        }
        panic!("too many redirects");
    }

    /// Fills the form that goes to `action` and sends it.
    pub(crate) async fn submit(
        &mut self,
        page: &Answered,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Answered {
        let (action, form) = filled(&page.body, action, fields);
        let answered = self.ask(Method::POST, &action, Some(form)).await;
        self.follow(answered).await
    }
}

/// The form's body: hidden fields and defaults as they stand, `fields` filled in.
pub(crate) fn filled(html: &str, action: &str, fields: &[(&str, &str)]) -> (String, String) {
    let page = Html::parse_document(html);
    let forms = Selector::parse("form[method=post]").unwrap();
    let form = page
        .select(&forms)
        .find(|form| form.attr("action").unwrap().starts_with(action))
        .unwrap_or_else(|| panic!("no form to {action} in {html}"));
    let inputs = Selector::parse("input[type=hidden]").unwrap();
    let mut all: Vec<(String, String)> = form
        .select(&inputs)
        .map(|input| {
            let value = input.attr("value").unwrap_or_default();
            (input.attr("name").unwrap().to_owned(), value.to_owned())
        })
        .collect();
    let areas = Selector::parse("textarea[name]").unwrap();
    for area in form.select(&areas) {
        let name = area.attr("name").unwrap().to_owned();
        if fields.iter().all(|(n, _)| *n != name) {
            all.push((name, area.text().collect()));
        }
    }
    all.extend(
        fields
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
    );
    let body: Vec<_> = all
        .iter()
        .map(|(n, v)| {
            format!(
                "{}={}",
                crate::address::encode(n),
                crate::address::encode(v)
            )
        })
        .collect();
    (form.attr("action").unwrap().to_owned(), body.join("&"))
}

/// What every answer must have.
fn check(answered: &Answered) {
    let headers = &answered.headers;
    assert_eq!(
        headers[header::CONTENT_SECURITY_POLICY],
        crate::headers::POLICY
    );
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(headers.contains_key(header::CACHE_CONTROL));
    assert!(!answered.body.contains("style=\""), "inline style");
}

/// The text of the first element a selector finds.
pub(crate) fn text(answered: &Answered, selector: &str) -> String {
    let page = Html::parse_document(&answered.body);
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector)
        .next()
        .unwrap_or_else(|| panic!("nothing matches in {}", answered.body))
        .text()
        .collect::<String>()
        .trim()
        .to_owned()
}
