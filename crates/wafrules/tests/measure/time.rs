//! What the pack costs.

use std::time::Instant;

use seclang::regression::Wire;

use crate::load;
use crate::sent::send;
use crate::texts::parts;

/// Prints times of loading and of some requests.
pub(crate) fn measure() {
    let begun = Instant::now();
    let rules = load(1, "");
    println!("load, paranoia level 1: {} ms", begun.elapsed().as_millis());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap_or_default()
    );
    for (name, one) in &cases() {
        let mut best = f64::MAX;
        let (mut told, mut score) = (0, 0);
        for _ in 0..7 {
            let begun = Instant::now();
            for _ in 0..20 {
                let sent = send(&rules, one);
                (told, score) = (sent.ids().len(), sent.score);
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1_000.0 / 20.0);
        }
        println!(
            "{name:<20} {best:8.3} ms, {} bytes of body, {told} rules told of, score {score}",
            one.body.len()
        );
    }
}

fn cases() -> Vec<(&'static str, Wire)> {
    let words = "the quick brown fox jumps over the lazy dog and orders a parcel of seeds ";
    let value = words.repeat(8 * 1024 / words.len());
    let json: Vec<String> = (0..30)
        .map(|n| format!("{{\"id\":{n},\"name\":\"item number {n}\",\"price\":\"{n}.50\"}}"))
        .collect();
    let json = format!("{{\"items\":[{}]}}", json.join(","));
    let form = "name=Ada+Lovelace&street=12+Some+Road&city=London&comment=please+leave+it+at+the+door&amount=3";
    let kind = Some("application/x-www-form-urlencoded");
    let long = format!("comment={}", value.repeat(8).replace(' ', "+"));
    let value = format!("comment={}", value.replace(' ', "+"));
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state % 64) as usize]
    };
    let noise: Vec<u8> = (0..64 << 10).map(|_| next()).collect();
    vec![
        (
            "GET, 3 arguments",
            parts(
                "GET",
                "/shop/search?q=garden+chairs&page=2&sort=price",
                None,
                None,
            ),
        ),
        (
            "GET, SQL injection",
            parts(
                "GET",
                "/shop/search?q=1%27+UNION+SELECT+user%2Cpassword+FROM+users--",
                None,
                None,
            ),
        ),
        (
            "form POST",
            parts("POST", "/order", kind, Some(form.into())),
        ),
        (
            "JSON POST",
            parts(
                "POST",
                "/order",
                Some("application/json"),
                Some(json.into()),
            ),
        ),
        (
            "8 kB form value",
            parts("POST", "/order", kind, Some(value.into())),
        ),
        (
            "64 kB text",
            parts("POST", "/order", kind, Some(long.into())),
        ),
        (
            "64 kB noise",
            parts(
                "POST",
                "/order",
                kind,
                Some([b"comment=".as_slice(), &noise].concat()),
            ),
        ),
    ]
}
