use super::*;

fn router(routes: &[(Option<&str>, &str)]) -> Router {
    let mut router = Router::default();
    for (index, (host, pattern)) in routes.iter().enumerate() {
        router.add(*host, &PathPattern::parse(pattern).unwrap(), index);
    }
    router
}

#[test]
fn most_specific_pattern_wins_whatever_the_order() {
    let router = router(&[
        (None, "/**"),
        (None, "/a/**"),
        (None, "/a/*"),
        (None, "/a/b"),
        (None, "/a/*/c"),
        (None, "/"),
    ]);
    for (path, route) in [
        ("/", 5),
        ("/x", 0),
        ("/x/y/z", 0),
        ("/a", 1),
        ("/a/", 1),
        ("/a/b", 3),
        ("/a/b/", 3),
        ("/a/x", 2),
        ("/a/b/c", 4),
        ("/a/b/d", 1),
        ("/a/x/c/d", 1),
    ] {
        assert_eq!(router.find("h", path), Some(route), "{path}");
    }
}

#[test]
fn a_branch_that_leads_nowhere_is_left_again() {
    let router = router(&[(None, "/a/b/c"), (None, "/a/*/d"), (None, "/*/b/e")]);
    assert_eq!(router.find("h", "/a/b/c"), Some(0));
    assert_eq!(router.find("h", "/a/b/d"), Some(1));
    assert_eq!(router.find("h", "/a/b/e"), Some(2));
    assert_eq!(router.find("h", "/a/b/f"), None);
}

#[test]
fn routes_of_a_host_come_before_those_of_every_host() {
    let router = router(&[(Some("shop"), "/a"), (None, "/a"), (None, "/b")]);
    assert_eq!(router.find("shop", "/a"), Some(0));
    assert_eq!(router.find("other", "/a"), Some(1));
    assert_eq!(router.find("shop", "/b"), Some(2));
    assert!(router.serves("anything"));
}

#[test]
fn unknown_host_has_no_route() {
    let router = router(&[(Some("shop"), "/**")]);
    assert_eq!(router.find("other", "/"), None);
    assert!(!router.serves("other") && router.serves("shop"));
}

#[test]
fn parameters_of_a_segment_lead_to_no_other_route() {
    let router = router(&[(None, "/**"), (None, "/admin/**"), (None, "/files/*")]);
    let alone = |path: &str| router.is_alone("h", path, router.find("h", path));
    for path in ["/", "/admin/a", "/a;x=1", "/files/a;v=2", "/admin/a;x/b;y"] {
        assert!(alone(path), "{path}");
    }
    for path in ["/admin;x", "/admin;/a", "/admin;x=1/a/b", "/files;x/a"] {
        assert!(!alone(path), "{path}");
    }
}
