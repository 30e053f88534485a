use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::link::protocol::{ToControl, ToGateway};

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn frame(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&length, text.as_bytes()].concat()
}

#[test]
fn messages_arrive_whole_however_the_bytes_are_cut() {
    block_on(async {
        let bytes = [
            frame(r#"{"say":"alive"}"#),
            frame(r#"{"say":"swapped","version":7}"#),
        ]
        .concat();
        for cut in 1..bytes.len() {
            let (mut writer, reader) = tokio::io::duplex(1024);
            let (first, second) = bytes.split_at(cut);
            let mut reader = Reader::new(reader);
            writer.write_all(first).await.unwrap();
            writer.write_all(second).await.unwrap();
            assert!(matches!(reader.next().await.unwrap(), ToControl::Alive));
            let next = reader.next().await.unwrap();
            assert!(matches!(next, ToControl::Swapped { version: 7 }));
        }
    });
}

#[test]
fn length_over_the_limit_is_refused_before_anything_is_read() {
    block_on(async {
        let (mut writer, reader) = tokio::io::duplex(64);
        writer.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        let mut reader = Reader::new(reader);
        let refused = reader.next::<ToControl>().await;
        assert!(matches!(refused, Err(Broken::TooLong(_))), "{refused:?}");
        assert!(reader.buffer.capacity() < 64 * 1024);
    });
}

#[test]
fn unknown_message_ends_the_link_and_unknown_fields_do_not() {
    block_on(async {
        let (mut writer, reader) = tokio::io::duplex(1024);
        writer
            .write_all(&frame(r#"{"say":"alive","more":1}"#))
            .await
            .unwrap();
        writer
            .write_all(&frame(r#"{"say":"dance"}"#))
            .await
            .unwrap();
        let mut reader = Reader::new(reader);
        assert!(matches!(reader.next().await.unwrap(), ToGateway::Alive));
        let refused = reader.next::<ToGateway>().await;
        assert!(matches!(refused, Err(Broken::Malformed(_))), "{refused:?}");
    });
}

proptest! {
    #[test]
    fn garbage_never_panics_and_always_ends(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        block_on(async {
            let mut reader = Reader::new(bytes.as_slice());
            while reader.next::<ToControl>().await.is_ok() {}
        });
    }
}
