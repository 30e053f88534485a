//! A disk that is full, fails to sync, or writes half: refused with a clear error, health red,
//! nothing lost, well again by itself.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use super::{Fixture, trusted};
use crate::disk::{Disk, RealDisk};
use crate::*;

/// A disk with so much room left, that may also fail to sync.
#[derive(Debug)]
struct SmallDisk {
    room: AtomicI64,
    reserved: AtomicI64,
    fail_syncs: AtomicU32,
    no_reserve: AtomicBool,
}

impl SmallDisk {
    fn with_room(room: i64) -> Arc<Self> {
        Arc::new(Self {
            room: AtomicI64::new(room),
            reserved: AtomicI64::new(0),
            fail_syncs: AtomicU32::new(0),
            no_reserve: AtomicBool::new(false),
        })
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl Disk for SmallDisk {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let needed = i64::try_from(bytes.len()).unwrap();
        if self.room.load(Ordering::SeqCst) < needed {
            // As a real disk does, half of it is written before the error.
            RealDisk.write_at(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(full());
        }
        self.room.fetch_sub(needed, Ordering::SeqCst);
        RealDisk.write_at(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let failing = self.fail_syncs.load(Ordering::SeqCst);
        if failing > 0 {
            self.fail_syncs.store(failing - 1, Ordering::SeqCst);
            return Err(io::Error::other("input/output error"));
        }
        RealDisk.sync(file)
    }

    fn reserve(&self, _: &Path, bytes: u64) -> io::Result<()> {
        let more = i64::try_from(bytes).unwrap() - self.reserved.load(Ordering::SeqCst);
        if self.no_reserve.load(Ordering::SeqCst) || self.room.load(Ordering::SeqCst) < more {
            return Err(full());
        }
        self.room.fetch_sub(more, Ordering::SeqCst);
        self.reserved.fetch_add(more, Ordering::SeqCst);
        Ok(())
    }

    fn release(&self, _: &Path) -> io::Result<()> {
        let back = self.reserved.swap(0, Ordering::SeqCst);
        self.room.fetch_add(back, Ordering::SeqCst);
        Ok(())
    }
}

async fn becomes(trail: &Trail, holds: impl Fn(&Health) -> bool) {
    let well = testkit::eventually(Duration::from_secs(10), async || holds(&trail.health())).await;
    assert!(well, "{:?}", trail.health());
}

#[tokio::test]
async fn full_disk_uses_the_reserve_then_refuses_then_heals() {
    let fixture = Fixture::new();
    let reserve = 64 * 1024;
    let disk = SmallDisk::with_room(reserve + 2_000);
    let trail = fixture.open_on(disk.clone()).await.unwrap();
    becomes(&trail, |health| health.reason.is_none()).await;
    let mut recorded = 0;
    // The room runs out, the reserve carries on: recorded, and said.
    while trail.health().reason.is_none() {
        trail.append(vec![fixture.event("filling")]).await.unwrap();
        recorded += 1;
    }
    assert!(trail.health().writable);
    assert!(recorded >= 2, "{recorded}");
    disk.no_reserve.store(true, Ordering::SeqCst);
    let refused = loop {
        match trail.append(vec![fixture.event("filling")]).await {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::Full), "{refused:?}");
    assert!(!trail.health().writable);
    // Nothing is done that cannot be recorded: the transaction is not committed.
    let store = fixture.store().await;
    let tx = store.begin().await.unwrap();
    let error = trail
        .commit(tx, vec![fixture.event("refused")])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Full), "{error:?}");
    assert!(store.outbox_pending(1).await.unwrap().is_empty());
    // Space returns.
    disk.no_reserve.store(false, Ordering::SeqCst);
    disk.room.store(1_000_000, Ordering::SeqCst);
    becomes(&trail, |health| health.writable && health.reason.is_none()).await;
    trail.append(vec![fixture.event("again")]).await.unwrap();
    trail.close().await;
    let report = verify::verify(&fixture.dir(), &trusted()).unwrap();
    assert_eq!(
        (report.entries, report.is_intact()),
        (recorded + 1, true),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_sync_that_fails_once_is_made_good() {
    let fixture = Fixture::new();
    let disk = SmallDisk::with_room(1_000_000);
    let trail = fixture.open_on(disk.clone()).await.unwrap();
    disk.fail_syncs.store(1, Ordering::SeqCst);
    trail.append(vec![fixture.event("one")]).await.unwrap();
    trail.close().await;
    assert!(
        verify::verify(&fixture.dir(), &trusted())
            .unwrap()
            .is_intact()
    );
}

#[tokio::test]
async fn a_sync_that_keeps_failing_is_never_acknowledged() {
    let fixture = Fixture::new();
    let disk = SmallDisk::with_room(1_000_000);
    let trail = fixture.open_on(disk.clone()).await.unwrap();
    disk.fail_syncs.store(u32::MAX, Ordering::SeqCst);
    let error = trail.append(vec![fixture.event("one")]).await.unwrap_err();
    assert!(matches!(error, Error::Unwritable { .. }), "{error:?}");
    disk.fail_syncs.store(0, Ordering::SeqCst);
    becomes(&trail, |health| health.writable).await;
    trail.append(vec![fixture.event("two")]).await.unwrap();
    trail.close().await;
    let report = verify::verify(&fixture.dir(), &trusted()).unwrap();
    assert!(report.is_intact(), "{report:?}");
}
