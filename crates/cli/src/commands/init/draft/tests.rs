use crate::Exit;
use crate::testing::Place;

const SITE: &str = "server {
    listen 8081;
    server_name shop.example;
    gzip on;
    sendfile on;
    location / { proxy_pass http://127.0.0.1:3000; proxy_set_header Host $host; }
    location /admin/ { deny 10.0.0.1; proxy_pass http://127.0.0.1:3000; proxy_set_header Host $host; }
    include more/*.conf;
    include /nowhere/at/all.conf;
}
";

fn place() -> Place {
    let place = Place::new();
    place.write("nginx.conf", SITE);
    std::fs::create_dir(place.path().join("more")).unwrap();
    place.write(
        "more/api.conf",
        "location /api/ { proxy_pass http://127.0.0.1:4000; }\n",
    );
    place
}

#[test]
fn a_draft_is_written_checks_and_says_what_it_left() {
    let place = place();
    let arguments = ["init", "--from", "nginx.conf", "--name", "shop"];
    let ran = place.run(&arguments);
    insta::assert_snapshot!("adopt", ran.show());
    assert_eq!(place.run(&["check", "--strict"]).exit, Exit::Ok);
    let text = std::fs::read_to_string(place.path().join("rampart.toml")).unwrap();
    assert!(text.contains("# more/api.conf:1 location /api/"), "{text}");
    // What stands there is never replaced.
    let again = place.run(&arguments);
    assert_eq!(again.exit, Exit::Usage);
    assert_eq!(
        std::fs::read_to_string(place.path().join("rampart.toml")).unwrap(),
        text
    );
}

#[test]
fn a_dry_run_prints_the_draft_and_writes_nothing() {
    let place = place();
    let ran = place.run(&["init", "--from", "nginx.conf", "--dry-run"]);
    assert_eq!(ran.exit, Exit::Ok);
    estate::Estate::parse(&ran.out).unwrap();
    assert!(ran.err.contains("not carried over"), "{}", ran.err);
    assert!(!place.path().join("rampart.toml").exists());
    let ran = place.run(&[
        "init",
        "--from",
        "nginx.conf",
        "--dry-run",
        "--format",
        "json",
    ]);
    let json = ran.json();
    assert_eq!(json["schema"], "rampart.init.v1");
    assert_eq!(json["kind"], "nginx");
    assert_eq!(json["file"], serde_json::Value::Null);
    let left = json["left"].as_array().unwrap();
    let first = left.first().unwrap();
    assert_eq!(first["guards"], true, "what guarded something comes first");
    assert!(
        left.iter()
            .all(|note| note["place"].is_string() && note["why"].is_string())
    );
    estate::Estate::parse(json["estate"].as_str().unwrap()).unwrap();
}

#[test]
fn a_document_is_named_by_its_path_beside_the_estate() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("apis")).unwrap();
    let text = "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\nservers: [{url: 'https://api.example/v1'}]\npaths: {}\n";
    place.write("apis/orders.yaml", text);
    let ran = place.run(&["init", "--from", "apis/orders.yaml"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
    let text = std::fs::read_to_string(place.path().join("rampart.toml")).unwrap();
    assert!(text.contains("openapi = \"apis/orders.yaml\""), "{text}");
    let ran = place.run(&["check"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
}

#[test]
fn what_cannot_be_drafted_says_where_and_what_to_do() {
    let place = Place::new();
    place.write("notes.txt", "hello\n");
    place.write("nginx.conf", "server {\n listen 80;\n");
    place.write(
        "static.conf",
        "server { listen 80; server_name a.example; location / { root /srv; } }\n",
    );
    let shown: Vec<String> = [
        &["init", "--from", "notes.txt"][..],
        &["init", "--from", "nginx.conf"],
        &["init", "--from", "gone.conf"],
        &["init", "--from", "static.conf"],
        &["init", "--from", "static.conf", "--format", "json"],
        &["init", "--from", "notes.txt", "--kind", "compose"],
    ]
    .iter()
    .map(|arguments| place.run(arguments).show())
    .collect();
    insta::assert_snapshot!("refused", shown.join("\n"));
    assert!(!place.path().join("rampart.toml").exists());
}
