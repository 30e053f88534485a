//! Random sites of nginx: a reference of nginx's own choice among locations, and the choice of
//! the drafted routes, must lead every request to the same place.

use std::collections::BTreeMap;

use estate::{Auth, Estate, PathPattern, Route};
use testkit::Mutator;

use super::of_text;
use crate::{Error, Kind};

const SEGMENTS: [&str; 3] = ["a", "b", "c"];

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The service at this address gets this path.
    Service(String, String),
    Refused,
}

#[derive(Clone, Debug)]
enum Handler {
    Pass(usize),
    /// With `/` in place of the location.
    Strip(usize),
    Forbid,
    Files,
    Deny(usize),
    Password(usize),
}

fn path(random: &mut Mutator, depth: usize) -> String {
    let parts: Vec<&str> = (0..depth)
        .map(|_| *random.pick(&SEGMENTS).unwrap())
        .collect();
    format!("/{}", parts.join("/"))
}

/// Locations by whether they are exact, and their path.
fn site(random: &mut Mutator) -> BTreeMap<(bool, String), Handler> {
    let mut site = BTreeMap::new();
    for _ in 0..=random.below(7) {
        let exact = random.below(4) == 0;
        let depth = random.below(4);
        let mut uri = path(random, depth);
        if !exact && uri != "/" {
            uri.push('/');
        }
        let service = 1 + random.below(3);
        let handler = match random.below(8) {
            0..3 => Handler::Pass(service),
            3 => Handler::Strip(service),
            4 => Handler::Forbid,
            5 => Handler::Files,
            6 => Handler::Deny(service),
            _ => Handler::Password(service),
        };
        site.insert((exact, uri), handler);
    }
    site
}

fn text(site: &BTreeMap<(bool, String), Handler>) -> String {
    let mut text = String::from("server { listen 80; server_name a.example;\n");
    for ((exact, uri), handler) in site {
        let inside = match handler {
            Handler::Pass(n) => format!("proxy_pass http://10.0.0.{n};"),
            Handler::Strip(n) => format!("proxy_pass http://10.0.0.{n}/;"),
            Handler::Forbid => "return 403;".to_owned(),
            Handler::Files => "root /srv;".to_owned(),
            Handler::Deny(n) => format!("deny all; proxy_pass http://10.0.0.{n};"),
            Handler::Password(n) => format!("auth_basic x; proxy_pass http://10.0.0.{n};"),
        };
        let exact = if *exact { "= " } else { "" };
        text.push_str(&format!("location {exact}{uri} {{ {inside} }}\n"));
    }
    text + "}\n"
}

/// nginx's own choice: the exact location, else the longest prefix.
fn of_nginx(site: &BTreeMap<(bool, String), Handler>, path: &str) -> End {
    let exact = site.get_key_value(&(true, path.to_owned()));
    let longest = || {
        let prefixes = site
            .iter()
            .filter(|((exact, uri), _)| !exact && path.starts_with(uri));
        prefixes.max_by_key(|((_, uri), _)| uri.len())
    };
    let service = |n: &usize, path: String| End::Service(format!("10.0.0.{n}:80"), path);
    match exact.or_else(longest) {
        Some((_, Handler::Pass(n))) => service(n, path.to_owned()),
        Some(((_, uri), Handler::Strip(n))) => {
            let rest = path.strip_prefix(uri.as_str()).unwrap();
            service(n, format!("/{rest}"))
        }
        _ => End::Refused,
    }
}

/// The choice of the gateway's router: the most specific pattern. There are no `*` here.
fn of_rampart(estate: &Estate, path: &str) -> End {
    let whole = PathPattern::parse(path).unwrap();
    let matching = estate
        .routes
        .iter()
        .filter(|route| route.path.covers(&whole));
    let best = matching.max_by_key(|route: &&Route| {
        let rest = route.path.to_string().ends_with("**");
        (route.path.segments.len() - usize::from(rest)) * 2 + usize::from(!rest)
    });
    let Some(route) = best.filter(|route| route.auth == Auth::Pass) else {
        return End::Refused;
    };
    let service = &estate.services[&route.to];
    let stripped = match &route.strip_prefix {
        Some(prefix) => path.strip_prefix(prefix.as_str()).unwrap(),
        None => path,
    };
    let stripped = if stripped.is_empty() { "/" } else { stripped };
    End::Service(service.endpoints[0].to_string(), stripped.to_owned())
}

#[test]
fn random_sites_lead_every_request_where_nginx_led_it() {
    let mut compared = 0;
    for seed in 0..testkit::told("RAMPART_FUZZ_ROUNDS").unwrap_or(600) {
        let mut random = Mutator::new(seed);
        let site = site(&mut random);
        let text = text(&site);
        let estate = match of_text(Kind::Nginx, "nginx.conf", &text) {
            Ok(adopted) => Estate::parse(&adopted.estate).unwrap().estate,
            Err(Error::Nothing { .. }) => continue,
            Err(error) => panic!("{error}\n{text}"),
        };
        for _ in 0..40 {
            let depth = random.below(5);
            let path = path(&mut random, depth);
            // What is told to differ: a prefix without the slash at its end.
            if site.contains_key(&(false, format!("{path}/"))) {
                continue;
            }
            compared += 1;
            let (nginx, rampart) = (of_nginx(&site, &path), of_rampart(&estate, &path));
            assert_eq!(nginx, rampart, "seed {seed}, {path}\n{text}");
        }
    }
    assert!(compared > 1_000, "only {compared} requests were compared");
}
