use proptest::prelude::*;

use super::*;

/// A frame as `sender` writes it, with a payload of `length` bytes.
fn frame(sender: Sender, first: u8, length: usize) -> Vec<u8> {
    let mask = if sender == Sender::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(mask | u8::try_from(length).unwrap()),
        126..=0xFFFF => {
            bytes.push(mask | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    if mask != 0 {
        bytes.extend([1, 2, 3, 4]);
    }
    bytes.extend(vec![0x55; length]);
    bytes
}

/// Shows `bytes` in pieces; how many passed, and why not more.
fn follow(frames: &mut Frames, bytes: &[u8], piece: usize) -> Result<usize, (usize, Broken)> {
    let mut kept = Vec::new();
    let mut passed = 0;
    for piece in bytes.chunks(piece) {
        kept.extend_from_slice(piece);
        let clear = frames
            .follow(&kept)
            .map_err(|(at, why)| (passed + at, why))?;
        kept.drain(..clear);
        assert!(kept.len() < 14, "only a head is kept back");
        passed += clear;
    }
    Ok(passed)
}

fn verdict(sender: Sender, frames: &[Vec<u8>]) -> Result<(), Broken> {
    let mut state = Frames::new(sender, 1000);
    let bytes = frames.concat();
    follow(&mut state, &bytes, bytes.len())
        .map(drop)
        .map_err(|(_, why)| why)
}

#[test]
fn each_rule_has_its_reason() {
    use Sender::{Client, Server};
    let of = |first, length| frame(Client, first, length);
    assert_eq!(
        verdict(Client, &[of(0x81, 5), of(0x82, 300), of(0x89, 125)]),
        Ok(())
    );
    assert_eq!(
        verdict(Client, &[of(0x01, 5), of(0x8A, 0), of(0x80, 5)]),
        Ok(())
    );
    for (frames, why) in [
        (vec![of(0xC1, 5)], Broken::Reserved),
        (vec![of(0x83, 5)], Broken::Opcode),
        (vec![of(0x8B, 0)], Broken::Opcode),
        (vec![of(0x80, 5)], Broken::Opcode),
        (vec![of(0x01, 5), of(0x81, 5)], Broken::Opcode),
        (vec![of(0x09, 5)], Broken::Length),
        (vec![of(0x89, 126)], Broken::Length),
        (vec![vec![0x81, 0xFE, 0, 125, 0, 0, 0, 0]], Broken::Length),
        (
            vec![vec![0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0]],
            Broken::Length,
        ),
        (
            vec![vec![0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
            Broken::Length,
        ),
        (vec![of(0x82, 1001)], Broken::TooLarge),
        (vec![of(0x02, 600), of(0x80, 401)], Broken::TooLarge),
        (vec![of(0x88, 2), of(0x81, 1)], Broken::AfterClose),
        (vec![frame(Server, 0x81, 5)], Broken::Mask),
    ] {
        assert_eq!(verdict(Client, &frames), Err(why), "{frames:?}");
    }
    assert_eq!(verdict(Server, &[frame(Server, 0x81, 5)]), Ok(()));
    assert_eq!(verdict(Server, &[of(0x81, 5)]), Err(Broken::Mask));
}

#[test]
fn limit_is_each_messages_own() {
    let message = frame(Sender::Server, 0x82, 1000);
    assert_eq!(verdict(Sender::Server, &vec![message; 5]), Ok(()));
}

#[test]
fn closing_frames_pass_their_own_check() {
    for sender in [Sender::Client, Sender::Server] {
        let mut frames = Frames::new(sender, 0);
        let bytes = close(sender, 1008);
        assert_eq!(frames.follow(&bytes), Ok(bytes.len()));
        assert!(frames.is_closed());
    }
}

proptest! {
    #[test]
    fn no_split_changes_a_verdict(
        frames in proptest::collection::vec((any::<u8>(), 0..400_usize), 0..5),
        piece in 1..40_usize,
    ) {
        let frames = frames.iter();
        let bytes = frames.flat_map(|(first, n)| frame(Sender::Client, first & 0x8F, *n));
        let bytes: Vec<_> = bytes.collect();
        let (mut one, mut other) = (Frames::new(Sender::Client, 700), Frames::new(Sender::Client, 700));
        let whole = follow(&mut one, &bytes, bytes.len().max(1));
        let split = follow(&mut other, &bytes, piece);
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn nothing_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut frames = Frames::new(Sender::Client, 100);
        let split = follow(&mut frames, &bytes, 7);
        let mut frames = Frames::new(Sender::Client, 100);
        prop_assert_eq!(follow(&mut frames, &bytes, 301), split);
    }
}
