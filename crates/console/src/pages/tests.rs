//! Every page, filled with fixtures: its HTML is kept as a snapshot, and obeys the rules every
//! page must obey.

mod fixtures;
mod rules;

use askama::Template as _;

/// The HTML with what changes between builds taken out.
fn normal(html: &str) -> String {
    let links = crate::assets::links();
    let mut text = html.to_owned();
    for (address, name) in [
        (&links.css, "/assets/console.css"),
        (&links.js, "/assets/console.mjs"),
        (&links.favicon, "/assets/mark.svg"),
    ] {
        text = text.replace(address.as_str(), name);
    }
    text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let lines: Vec<_> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

macro_rules! pages {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let html = fixtures::$name().render().unwrap();
                rules::check(stringify!($name), &html);
                insta::assert_snapshot!(stringify!($name), normal(&html));
            }
        )*
    };
}

pages!(
    sign_in,
    sign_in_refused,
    sign_in_code,
    sign_in_recovery,
    step_up,
    onward,
    enrol_password,
    enrol_totp,
    recovery_codes,
    overview,
    overview_of_a_stranger,
    people,
    invite,
    once,
    person,
    confirm,
    roles,
    account,
    password_change,
    new_key,
    routes,
    route,
    routes_empty,
    explain,
    observed,
    observed_nothing,
    rules,
    rules_nothing,
    rules_none,
    one_match,
    exclude,
    services,
    services_none,
    bans,
    bans_empty,
    trail,
    trail_empty,
    event,
    estate,
    plan,
    plan_with_findings,
    settings,
    refused,
    not_found,
);
