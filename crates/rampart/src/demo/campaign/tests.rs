//! The campaigns' files themselves; what they achieve directly is tested with the shop.

use super::*;

#[test]
fn every_file_is_listed_and_parses() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/campaigns");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut listed: Vec<String> = all()
        .unwrap()
        .iter()
        .map(|campaign| format!("{}.toml", campaign.name))
        .collect();
    listed.sort();
    assert_eq!(listed, files);
}

#[test]
fn a_misspelt_key_is_refused() {
    let text = "title = \"x\"\nas = \"stranger\"\nrequests = 1\n[request]\nraw = \"x\"\n\
                [expect]\nstatus = 400\nstep = \"head\"\n";
    let error = parse("x", text).unwrap_err();
    assert!(error.to_string().contains("`requests`"), "{error}");
}

#[test]
fn a_body_is_filled_up_to_its_length() {
    let text = "title = \"x\"\nas = \"stranger\"\n[request]\nmethod = \"POST\"\ntarget = \"/\"\n\
                body = \"text=\"\nbody_bytes = 10\nfields_more = 2\n\
                [expect]\nstatus = 413\nstep = \"limits\"\n";
    let Attack::Request(request, 1) = parse("x", text).unwrap().attack else {
        panic!("not one request");
    };
    assert_eq!(request.body, "text=aaaaa");
    assert_eq!(request.headers.len(), 2);
}
