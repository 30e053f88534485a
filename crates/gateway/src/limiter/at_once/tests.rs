use super::*;

fn route(number: u64) -> What {
    What::Route(number)
}

#[test]
fn as_many_as_may_hold_a_permit_and_one_that_is_dropped_is_there_again() {
    let all = Arc::new(AtOnce::new());
    let hold = |max| {
        let mut permits = Permits::new(&all);
        permits.take(route(1), max).map(|()| permits)
    };
    let first = hold(2).unwrap();
    let second = hold(2).unwrap();
    assert_eq!(hold(2).unwrap_err(), Full::Max);
    assert_eq!(all.under_way(), 2);
    drop(first);
    let third = hold(2).unwrap();
    assert_eq!(hold(2).unwrap_err(), Full::Max);
    // An estate that allows fewer: those under way count.
    drop(second);
    assert_eq!(hold(1).unwrap_err(), Full::Max);
    drop(third);
    assert!(hold(1).is_ok());
    assert_eq!(all.under_way(), 0);
}

#[test]
fn refused_by_one_the_others_are_given_back() {
    let all = Arc::new(AtOnce::new());
    let mut busy = Permits::new(&all);
    busy.take(route(2), 1).unwrap();
    let mut permits = Permits::new(&all);
    permits.take(route(1), 1).unwrap();
    assert_eq!(permits.take(route(2), 1), Err(Full::Max));
    drop(permits);
    assert_eq!(all.under_way(), 1);
}

#[test]
fn panic_gives_back_what_was_held() {
    let all = Arc::new(AtOnce::new());
    let inner = Arc::clone(&all);
    let panicked = std::thread::spawn(move || {
        let mut permits = Permits::new(&inner);
        permits.take(route(1), 1).unwrap();
        panic!("a handler that panics");
    });
    assert!(panicked.join().is_err());
    assert_eq!(all.under_way(), 0);
}

#[test]
fn nothing_is_remembered_of_what_has_ended_and_a_full_table_refuses() {
    let all = Arc::new(AtOnce::with_room(SHARDS));
    let mut held = Vec::new();
    let mut refused = 0;
    for number in 0..10_000 {
        let mut permits = Permits::new(&all);
        match permits.take(route(number), 1) {
            Ok(()) => held.push(permits),
            Err(Full::Room) => refused += 1,
            Err(Full::Max) => panic!("each is another"),
        }
    }
    assert!(held.len() <= SHARDS && refused > 9000, "{}", held.len());
    drop(held);
    assert_eq!(all.under_way(), 0);
    let lengths = all.shards.iter().map(|shard| shard.lock().unwrap().len());
    assert_eq!(lengths.sum::<usize>(), 0);
}

#[test]
fn body_that_ended_holds_no_permit_although_it_is_still_there() {
    let all = Arc::new(AtOnce::new());
    let mut permits = Permits::new(&all);
    permits.take(route(1), 1).unwrap();
    let body = Outgoing::Full(Bytes::from_static(b"answer"));
    let mut body = Held::hold(body, Box::new(permits));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let data = Pin::new(&mut body).poll_frame(&mut cx);
    assert!(matches!(data, Poll::Ready(Some(Ok(_)))));
    assert_eq!(all.under_way(), 1);
    assert!(matches!(
        Pin::new(&mut body).poll_frame(&mut cx),
        Poll::Ready(None)
    ));
    assert_eq!(all.under_way(), 0);
}
