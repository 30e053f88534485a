//! `rampart gateway top`: what goes through the gateways now, again and again.
//!
//! Nothing about the terminal is set: each look is written over the one before, so that ending it
//! in any way leaves everything as it was, with the last look still to read.

use std::cmp::Ordering;
use std::time::Duration;

use clap::{Args, ValueEnum};
use model::parse_duration;
use serde_json::Value;

use super::Session;
use super::figures::{bytes, count, ms, number, per_second, percent};
use crate::client::query;
use crate::commands::status::text;
use crate::commands::{items, text_or};
use crate::output::{Paint, Table, clean};
use crate::{Exit, Failure};

const SCHEMA: &str = "rampart.top.v1";
/// LIMIT: routes of one look.
const ROUTES_MAX: usize = 1000;

/// Arguments of `rampart gateway top`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway top\n  rampart gateway top --sort p99 --window 1m\n  \
    rampart gateway top --once --format json\n  \
    rampart gateway top --watch --format jsonl | jq .total.rate\n\n\
    In `refused by`, what stands in parentheses would have been refused by a step that only observes."
)]
pub struct TopArgs {
    /// What the first route has most of.
    #[arg(long, value_enum, default_value_t = Sort::Requests)]
    pub sort: Sort,
    /// Over how long rates and times are taken.
    #[arg(long, value_name = "WINDOW", default_value = "10s", value_parser = ["1s", "10s", "1m"])]
    pub window: String,
    /// Show so many routes at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u16,
    /// Look once and end; without a terminal that is what happens anyway.
    #[arg(long, conflicts_with_all = ["watch", "looks"])]
    pub once: bool,
    /// Look again and again also without a terminal, one document each time.
    #[arg(long)]
    pub watch: bool,
    /// How long to wait between two looks.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub every: Duration,
    /// End after so many looks.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub looks: Option<u32>,
}

/// What routes are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Requests per second.
    Requests,
    /// Answers with 5xx per second.
    Errors,
    /// Refusals per second.
    Refused,
    /// What observing steps would have refused, per second.
    WouldRefuse,
    /// Half were answered within.
    P50,
    /// 99 of 100.
    P99,
    /// The time that services had: 99 of 100.
    Service,
    /// The name.
    Name,
}

pub(super) fn run(args: &TopArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let path = format!(
        "/gateway/top{}",
        query(&[("window", Some(args.window.clone()))])
    );
    let on_screen = session.printer.is_screen();
    let again = !args.once && (args.watch || args.looks.is_some() || on_screen);
    let mut looks = 0_u32;
    loop {
        match server.get::<Value>(&path) {
            Ok(now) if !again => {
                let printer = &mut session.printer;
                let human = plain(&look(args, &now));
                printer.document(SCHEMA, &now, || human);
                return Ok(Exit::Ok);
            }
            Ok(now) if on_screen && session.printer.is_human() => {
                session.printer.screen(&look(args, &now));
            }
            Ok(now) => {
                let human = format!("{}\n", plain(&look(args, &now)));
                session.printer.item(SCHEMA, &now, || human);
            }
            // A server that is started anew is there again in a moment.
            Err(failure) if looks > 0 && failure.exit == Exit::Failed => {
                let note = format!("no answer, trying again: {}", clean(&failure.message));
                session.printer.note(&note);
            }
            Err(failure) => return Err(failure),
        }
        looks = looks.saturating_add(1);
        if session.printer.is_closed() || args.looks.is_some_and(|wanted| looks >= wanted) {
            return Ok(Exit::Ok);
        }
        server.pause(args.every);
    }
}

/// One line and how it looks where there are colours.
pub(crate) type Line = (Option<Paint>, String);

fn plain(lines: &[Line]) -> String {
    let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    format!("{}\n", lines.join("\n"))
}

fn look(args: &TopArgs, now: &Value) -> Vec<Line> {
    let total = now.get("total").unwrap_or(&Value::Null);
    let gateways = items(now, "gateways");
    let mut lines = vec![
        (None, headline(now, total, gateways.len())),
        (None, held(&gateways)),
    ];
    // One alone says what the headline says.
    for gateway in gateways.iter().filter(|_| gateways.len() > 1) {
        let [name, version] = ["name", "version"].map(|key| text_or(gateway, key, "-"));
        let rate = per_second(gateway, "rate");
        let connections = text_or(gateway, "connections", "0");
        let line = format!("  {name}  version {version}  {rate}  connections {connections}");
        lines.push((None, clean(&line)));
    }
    lines.push((None, String::new()));
    if gateways.is_empty() {
        let text =
            "no gateway is connected: what runs serves from what it knows, unseen".to_owned();
        lines.push((Some(Paint::Bad), text));
        lines.push((None, String::new()));
    }
    routes(args, now, &mut lines);
    lines.push((None, String::new()));
    services(now, &mut lines);
    lines
}

fn headline(now: &Value, total: &Value, gateways: usize) -> String {
    let time: String = text(now, "at").chars().skip(11).take(8).collect();
    format!(
        "{time} UTC  {}  {}  refused {}  would refuse {}  p50 {}  p99 {}  of it the services {}",
        match gateways {
            1 => "1 gateway".to_owned(),
            n => format!("{n} gateways"),
        },
        per_second(total, "rate"),
        per_second(total, "refused_rate"),
        per_second(total, "would_refuse_rate"),
        ms(total, "p50_ms"),
        ms(total, "p99_ms"),
        percent(total, "service_percent"),
    )
}

fn held(gateways: &[Value]) -> String {
    let sum = |path: &str| -> u64 {
        let at = |one: &Value| one.pointer(path).and_then(Value::as_u64);
        gateways.iter().filter_map(at).sum()
    };
    let place = |name: &str| {
        let taken = bytes(sum(&format!("/held_{name}/bytes")));
        let max = bytes(sum(&format!("/held_{name}/bytes_max")));
        format!("{taken} of {max} {name}")
    };
    let left_out = sum("/left_out");
    let gap = match left_out {
        0 => String::new(),
        n => format!("  records left out {n}"),
    };
    format!(
        "connections {}  bodies held {}, {}{gap}",
        sum("/connections"),
        place("memory"),
        place("disk"),
    )
}

fn routes(args: &TopArgs, now: &Value, lines: &mut Vec<Line>) {
    let mut all = items(now, "routes");
    all.sort_by(|a, b| order(args.sort, a, b).then_with(|| text(a, "name").cmp(text(b, "name"))));
    let shown = usize::from(args.limit).min(ROUTES_MAX);
    let hidden = all.len().saturating_sub(shown);
    let mut table = Table::new(&[
        "route",
        "req/s",
        "2xx",
        "4xx",
        "5xx",
        "refused",
        "would",
        "p50",
        "p99",
        "svc p99",
        "svc %",
        "refused by",
    ])
    .right(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for route in all.iter().take(shown) {
        let status = |class: &str| {
            let rate = route.pointer(&format!("/statuses/{class}"));
            number(rate.and_then(Value::as_f64).unwrap_or(0.0))
        };
        table.row([
            text(route, "name").to_owned(),
            count(route, "rate"),
            status("2xx"),
            status("4xx"),
            status("5xx"),
            count(route, "refused_rate"),
            count(route, "would_refuse_rate"),
            ms(route, "p50_ms"),
            ms(route, "p99_ms"),
            ms(route, "service_p99_ms"),
            percent(route, "service_percent"),
            refused_by(route),
        ]);
    }
    for line in table.render("the estate has no route").lines() {
        lines.push((None, line.to_owned()));
    }
    if hidden > 0 {
        lines.push((None, format!("and {hidden} routes more: `--limit`")));
    }
}

fn order(by: Sort, a: &Value, b: &Value) -> Ordering {
    let key = match by {
        Sort::Name => return Ordering::Equal,
        Sort::Requests => "/rate",
        Sort::Errors => "/statuses/5xx",
        Sort::Refused => "/refused_rate",
        Sort::WouldRefuse => "/would_refuse_rate",
        Sort::P50 => "/p50_ms",
        Sort::P99 => "/p99_ms",
        Sort::Service => "/service_p99_ms",
    };
    let of = |one: &Value| one.pointer(key).and_then(Value::as_f64).unwrap_or(0.0);
    of(b).total_cmp(&of(a))
}

/// `inspect 3, limits 12 (would)`: within the window.
fn refused_by(route: &Value) -> String {
    let steps = route.get("steps").and_then(Value::as_object);
    let mut parts = Vec::new();
    for (step, counts) in steps.into_iter().flatten() {
        let of = |key: &str| counts.get(key).and_then(Value::as_u64).unwrap_or(0);
        match (of("refused"), of("would_refuse")) {
            (0, 0) => {}
            (0, would) => parts.push(format!("({step} {would})")),
            (refused, 0) => parts.push(format!("{step} {refused}")),
            (refused, would) => parts.push(format!("{step} {refused} ({would})")),
        }
    }
    parts.join(" ")
}

fn services(now: &Value, lines: &mut Vec<Line>) {
    let all = items(now, "services");
    let mut table = Table::new(&[
        "service",
        "req/s",
        "p50",
        "p99",
        "under way",
        "waiting",
        "retries",
        "left",
        "breaker",
        "addresses",
    ])
    .right(&[1, 2, 3, 4, 5, 6, 7]);
    for service in &all {
        let lately = service.get("lately").unwrap_or(&Value::Null);
        let addresses = items(service, "addresses");
        let well = addresses.iter().filter(|one| is_in_use(one)).count();
        table.row([
            text(service, "name").to_owned(),
            count(lately, "rate"),
            ms(lately, "service_p50_ms"),
            ms(lately, "service_p99_ms"),
            text_or(service, "under_way", "0"),
            text_or(service, "waiting", "0"),
            text_or(service, "retries", "0"),
            text_or(service, "retries_left", "0"),
            text_or(service, "breaker", "-").replace('_', " "),
            match addresses.len() {
                0 => "none: its name leads nowhere".to_owned(),
                all => format!("{well} of {all} in use"),
            },
        ]);
    }
    let rendered = table.render("no gateway told of a service yet");
    let mut rows = rendered.lines();
    lines.extend(rows.next().map(|line| (None, line.to_owned())));
    for (line, service) in rows.zip(&all) {
        let trouble = service.get("is_in_trouble") == Some(&Value::Bool(true));
        lines.push((trouble.then_some(Paint::Care), line.to_owned()));
        for address in items(service, "addresses") {
            if is_in_trouble(&address) {
                lines.push((Some(Paint::Bad), format!("  {}", trouble_of(&address))));
            }
        }
    }
}

/// Whether an address gets no requests, or those that it gets fail.
pub(super) fn is_in_trouble(address: &Value) -> bool {
    address.get("is_in_trouble") == Some(&Value::Bool(true))
}

/// An address's state in one word.
pub(super) fn word(address: &Value) -> &str {
    match text(address, "condition") {
        "well" | "rising" if is_in_trouble(address) => "failing",
        word => word,
    }
}

/// Whether an address gets requests.
fn is_in_use(address: &Value) -> bool {
    matches!(text(address, "condition"), "well" | "rising")
}

/// `10.0.0.2:80 is unwell since 12:01:02: it takes no connection`.
fn trouble_of(address: &Value) -> String {
    let since: String = text(address, "since").chars().skip(11).take(8).collect();
    let since = match since.is_empty() {
        true => String::new(),
        false => format!(" since {since}"),
    };
    let why = text_or(address, "why", "nobody said why");
    let [place, condition] = [text(address, "address"), word(address)].map(clean);
    format!("{place} is {condition}{since}: {}", clean(&why))
}
