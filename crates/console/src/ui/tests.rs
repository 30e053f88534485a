use std::time::Duration;

use askama::Template as _;
use model::Timestamp;

use super::*;

#[test]
fn relative_times_read_as_people_say_them() {
    let now = Timestamp::from_millis(1_767_225_600_000);
    for (seconds, expected) in [
        (0, "just now"),
        (42, "42 s ago"),
        (200, "3 min ago"),
        (7200, "2 h ago"),
        (5 * 86_400, "5 d ago"),
    ] {
        assert_eq!(
            relative(now.before(Duration::from_secs(seconds)), now),
            expected
        );
    }
    assert_eq!(
        relative(now.after(Duration::from_secs(3600)), now),
        "in 1 h"
    );
    assert_eq!(
        relative(now.before(Duration::from_secs(40 * 86_400)), now),
        "2025-11-22"
    );
}

#[test]
fn numbers_keep_the_digits_that_mean_something() {
    assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    assert_eq!(plural(1, "route", "routes"), "1 route");
    assert_eq!(rate(0.0), "0");
    assert_eq!(rate(3.456), "3.46");
    assert_eq!(rate(412.7), "413");
    assert_eq!(percent(1, 3), "33 %");
    assert_eq!(percent(1, 100_000), "< 0.1 %");
    assert_eq!(percent(1, 0), "0 %");
    assert_eq!(duration(Duration::from_micros(840)), "0.8 ms");
    assert_eq!(duration(Duration::from_millis(1430)), "1.4 s");
}

#[test]
fn hostile_text_is_escaped_in_every_part() {
    let evil = r#"<script>alert("x")</script>"#;
    let parts = [
        Badge::new(Tone::Ok, evil).to_string(),
        Prose::from(format!("`{evil}` and {evil}")).to_string(),
        Notice::new(Tone::High, evil, evil).to_string(),
        Copy::new(evil, "hash").to_string(),
        Tile::new("Requests", evil, evil).to_string(),
        Sparkline::new(evil, &[1.0, 2.0]).to_string(),
        Bars::bad(&[Bar {
            name: evil.to_owned(),
            value: 3,
        }])
        .to_string(),
        TimeChart::new("t", evil, &[evil.to_owned(), evil.to_owned()], &[])
            .render()
            .unwrap(),
    ];
    for html in parts {
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains(r#""x""#), "{html}");
    }
}

#[test]
fn charts_survive_values_no_chart_should_see() {
    for values in [
        vec![],
        vec![1.0],
        vec![f64::NAN, f64::INFINITY, -4.0],
        vec![0.0; 2000],
    ] {
        let html = Sparkline::new("label", &values).to_string();
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}

#[test]
fn colour_never_speaks_alone() {
    for tone in [
        Tone::Quiet,
        Tone::Ok,
        Tone::Info,
        Tone::Medium,
        Tone::High,
        Tone::Critical,
    ] {
        let html = Badge::new(tone, "word").to_string();
        assert!(html.contains("<svg") && html.contains("word"), "{html}");
    }
}

#[test]
fn names_in_backticks_become_code_and_a_lone_backtick_stays() {
    let html = |text: &str| Prose::from(text).to_string();
    assert_eq!(
        html("`a` gave `b`"),
        r#"<code class="said">a</code> gave <code class="said">b</code>"#
    );
    assert_eq!(html("a ` b"), "a ` b");
    assert_eq!(html("`a` b ` c"), r#"<code class="said">a</code> b ` c"#);
    assert_eq!(html(""), "");
}
