use std::collections::VecDeque;
use std::task::{Context, Poll};

use http_body::SizeHint;
use http_body_util::BodyExt as _;
use model::ByteSize;

use super::*;

/// A body of given frames, with a declared length or none.
struct Frames {
    frames: VecDeque<Result<Bytes, &'static str>>,
    declared: Option<u64>,
}

impl Frames {
    fn new(frames: impl IntoIterator<Item = Vec<u8>>, declared: Option<u64>) -> Self {
        let frames = frames
            .into_iter()
            .map(|frame| Ok(Bytes::from(frame)))
            .collect();
        Self { frames, declared }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(self.frames.pop_front().map(|frame| frame.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.declared
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

const LIMITS: Limits = Limits {
    max: 1 << 20,
    bytes_per_s_min: 0,
    grace: Duration::from_secs(5),
};

fn budget(memory: u64, disk: u64) -> (tempfile::TempDir, Arc<Budget>) {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget::new(
        folder.path().to_path_buf(),
        ByteSize(memory),
        ByteSize(disk),
    );
    (folder, Arc::new(budget))
}

#[tokio::test]
async fn no_body_takes_nothing() {
    let (_folder, budget) = budget(0, 0);
    let held = hold(Frames::new([], Some(0)), &LIMITS, &budget)
        .await
        .unwrap();
    assert!(held.is_empty());
    assert_eq!(held.as_slice(), Some(&[][..]));
}

#[tokio::test]
async fn small_body_stays_in_memory_and_comes_out_again() {
    let (folder, budget) = budget(1 << 20, 0);
    let frames = [b"hel".to_vec(), b"lo".to_vec()];
    let held = hold(Frames::new(frames, None), &LIMITS, &budget)
        .await
        .unwrap();
    assert_eq!(held.as_slice(), Some(&b"hello"[..]));
    assert!(budget.memory().taken >= 5);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let again = held.replay();
    assert_eq!(held.collect().await.unwrap().to_bytes(), "hello");
    assert_eq!(again.collect().await.unwrap().to_bytes(), "hello");
    assert_eq!(budget.memory().taken, 0);
}

#[tokio::test]
async fn large_body_goes_to_a_file_without_a_name_and_comes_out_again() {
    let (folder, budget) = budget(1 << 20, 1 << 20);
    let frames: Vec<Vec<u8>> = (0..30_u8).map(|n| vec![n; 10_000]).collect();
    let whole = frames.concat();
    let held = hold(Frames::new(frames, None), &LIMITS, &budget)
        .await
        .unwrap();
    assert_eq!(held.len(), 300_000);
    assert_eq!(held.as_slice(), None);
    assert_eq!(budget.disk().taken, 300_000);
    assert_eq!(budget.memory().taken, 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut read = Vec::new();
    loop {
        let chunk = held
            .chunk(u64::try_from(read.len()).unwrap())
            .await
            .unwrap();
        if chunk.is_empty() {
            break;
        }
        read.extend_from_slice(&chunk);
    }
    assert_eq!(read, whole);
    let again = held.replay();
    assert_eq!(held.collect().await.unwrap().to_bytes(), whole);
    assert_eq!(again.collect().await.unwrap().to_bytes(), whole);
    assert_eq!(budget.disk().taken, 0);
}

#[tokio::test]
async fn body_over_its_limit_is_refused_when_declared_and_when_sent() {
    let (_folder, budget) = budget(1 << 20, 8 << 20);
    let declared = Frames::new([vec![0; 10]], Some(LIMITS.max + 1));
    assert_eq!(
        hold(declared, &LIMITS, &budget).await.unwrap_err(),
        Refused::TooLarge
    );
    let sent = Frames::new(vec![vec![0; 100_000]; 11], None);
    assert_eq!(
        hold(sent, &LIMITS, &budget).await.unwrap_err(),
        Refused::TooLarge
    );
    assert_eq!((budget.memory().taken, budget.disk().taken), (0, 0));
}

#[tokio::test]
async fn full_memory_spills_to_disk_and_full_disk_refuses() {
    let (_folder, budget) = budget(8, 100);
    let frames = || Frames::new([vec![1; 20], vec![2; 20]], None);
    let first = hold(frames(), &LIMITS, &budget).await.unwrap();
    let second = hold(frames(), &LIMITS, &budget).await.unwrap();
    assert_eq!(budget.disk().taken, 80);
    assert_eq!(
        hold(frames(), &LIMITS, &budget).await.unwrap_err(),
        Refused::Budget
    );
    assert_eq!(budget.disk().taken, 80);
    assert_eq!(budget.disk().refused, 1);
    drop((first, second));
    assert_eq!(budget.disk().taken, 0);
    assert!(hold(frames(), &LIMITS, &budget).await.is_ok());
}

#[tokio::test]
async fn broken_body_is_refused_and_leaves_nothing() {
    let (_folder, budget) = budget(1 << 20, 1 << 20);
    let mut frames = Frames::new([vec![1; 100_000]], None);
    frames.frames.push_back(Err("gone"));
    assert_eq!(
        hold(frames, &LIMITS, &budget).await.unwrap_err(),
        Refused::Broken
    );
    assert_eq!((budget.memory().taken, budget.disk().taken), (0, 0));
}
