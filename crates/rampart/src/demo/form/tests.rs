//! Pages as the console writes them.

use super::*;

const PAGE: &str = r#"<html><head><meta charset="utf-8"></head><body>
<form class="bare" method="post" action="/sign-out"><input type="hidden" name="form_token" value="a"></form>
<form class="form" method="post" action="/sign-in/code?to=shop&#38;at=%2F">
<input type="hidden" name="form_token" value="b&#38;c"><input type="hidden" name="kind" value="code">
<label>Code</label> <input id="code" name="code" class="code" type="text" required autofocus>
</form></body></html>"#;

#[test]
fn the_form_with_the_wanted_field_is_found() {
    let form = with_fields(PAGE, &["code"]).unwrap();
    assert_eq!(form.action, "/sign-in/code?to=shop&at=%2F");
    let hidden = [("form_token", "b&c"), ("kind", "code")];
    let hidden: Vec<_> = hidden
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    assert_eq!(form.hidden, hidden);
    assert_eq!(with_fields(PAGE, &["password"]), None);
}

#[test]
fn a_page_that_leads_on_says_where() {
    let page = r#"<meta http-equiv="refresh" content="0;url=https://shop.localhost:8443/.rampart/callback?code=x&#38;y=1">"#;
    assert_eq!(
        refresh(page).as_deref(),
        Some("https://shop.localhost:8443/.rampart/callback?code=x&y=1")
    );
    assert_eq!(refresh(PAGE), None);
}

#[test]
fn a_key_is_read_by_its_label() {
    let page = r#"<code aria-labelledby="manual-label">JBSW Y3DP EHPK 3PXP</code>"#;
    assert_eq!(
        labelled(page, "manual-label").as_deref(),
        Some("JBSW Y3DP EHPK 3PXP")
    );
    assert_eq!(labelled(page, "once-label"), None);
}

#[test]
fn values_cannot_leave_their_field() {
    assert_eq!(
        encode([("a", "b&c=d é"), ("e", "f+g")].into_iter()),
        "a=b%26c%3Dd%20%C3%A9&e=f%2Bg"
    );
}
