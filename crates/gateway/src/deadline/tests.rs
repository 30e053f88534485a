use std::future::poll_fn;

use super::*;

const SOON: Duration = Duration::from_secs(5);

/// Waits until it passes; how long that took.
async fn passes(deadline: &mut Deadline) -> Duration {
    let begun = Instant::now();
    poll_fn(|cx| deadline.poll_passed(cx)).await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn it_passes_when_it_was_set_to_however_often_it_moved() {
    let mut deadline = Deadline::unset();
    for seconds in [5, 1, 9, 2] {
        let after = Duration::from_secs(seconds);
        deadline.set(after);
        let took = passes(&mut deadline).await;
        assert!(took >= after && took < after + SOON / 1000, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_moves_away_while_it_is_waited_for_passes_later() {
    let mut deadline = Deadline::unset();
    deadline.set(SOON);
    let mut looks = 0;
    let begun = Instant::now();
    poll_fn(|cx| {
        looks += 1;
        if looks == 2 {
            deadline.clear();
            deadline.start(SOON * 2);
        }
        deadline.poll_passed(cx)
    })
    .await;
    assert!(begun.elapsed() >= SOON * 3, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_last_is_woken() {
    let mut deadline = Deadline::unset();
    deadline.set(SOON);
    let first = tokio::spawn(async move {
        poll_fn(|cx| Poll::Ready(deadline.poll_passed(cx).is_pending())).await;
        deadline
    });
    let mut deadline = first.await.unwrap();
    let second = tokio::spawn(async move { passes(&mut deadline).await });
    assert!(second.await.unwrap() <= SOON + SOON / 1000);
}

/// A task that did much is put off by whatever it asks of the runtime next.
#[tokio::test(start_paused = true)]
async fn one_that_is_first_asked_by_a_task_that_did_too_much_passes_all_the_same() {
    let busy = tokio::spawn(async {
        let mut deadline = Deadline::unset();
        deadline.set(SOON);
        let begun = Instant::now();
        poll_fn(|cx| {
            while tokio::task::coop::has_budget_remaining() {
                let proceed = tokio::task::coop::poll_proceed(cx);
                if let Poll::Ready(coop) = proceed {
                    coop.made_progress();
                }
            }
            deadline.poll_passed(cx)
        })
        .await;
        begun.elapsed()
    });
    let took = tokio::time::timeout(SOON * 2, busy).await;
    assert!(took.unwrap().unwrap() >= SOON);
}
