use super::*;

fn question(headers: &str) -> Question {
    Question {
        method: "GET".to_owned(),
        url: "https://shop.example/a'b".to_owned(),
        who: "noor".to_owned(),
        headers: headers.to_owned(),
    }
}

#[test]
fn the_command_cannot_escape_its_quotes() {
    assert_eq!(
        question("X: $(reboot)").command(),
        r"rampart gateway explain 'GET https://shop.example/a'\''b' --as 'noor' --header 'X: $(reboot)'"
    );
}

#[test]
fn header_fields_are_read_line_by_line() {
    assert_eq!(
        question("A: b\n\nC:d:e").header_fields(),
        Ok(vec![
            ("A".to_owned(), "b".to_owned()),
            ("C".to_owned(), "d:e".to_owned())
        ])
    );
    assert!(question("no field").header_fields().is_err());
    assert!(question(": x").header_fields().is_err());
    assert!(question(&"A: b\n".repeat(51)).header_fields().is_err());
}
