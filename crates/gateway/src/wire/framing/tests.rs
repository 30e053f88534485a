use proptest::prelude::*;

use super::*;

/// What a chunked body was, followed in pieces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Followed {
    content: Vec<u8>,
    taken: usize,
    ended: bool,
}

/// Follows `bytes` in pieces of `piece`.
fn follow(bytes: &[u8], piece: usize) -> Result<Followed, Refusal> {
    let mut framing = Framing::chunked();
    let mut line = Vec::new();
    let mut all = Followed::default();
    for piece in bytes.chunks(piece) {
        let mut rest = piece;
        while !rest.is_empty() {
            let next = framing.advance(rest, &mut line)?;
            let (_, content) = rest.split_at(next.framing);
            let (content, after) = content.split_at(next.content);
            all.content.extend(content);
            all.taken += next.framing + next.content;
            assert!(next.framing + next.content > 0, "it moves on");
            rest = after;
            if next.ended {
                all.ended = true;
                return Ok(all);
            }
        }
    }
    Ok(all)
}

fn encode(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

proptest! {
    #[test]
    fn body_ends_exactly_where_its_last_chunk_does(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
        after in proptest::collection::vec(any::<u8>(), 0..20),
        piece in 1..64_usize,
    ) {
        let body = encode(&chunks);
        let whole = [body.clone(), after].concat();
        let followed = follow(&whole, piece).unwrap();
        let content = chunks.concat();
        prop_assert_eq!(followed, Followed { content, taken: body.len(), ended: true });
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let whole = follow(&bytes, bytes.len().max(1));
        let split = follow(&bytes, 1);
        prop_assert_eq!(whole.is_ok(), split.is_ok());
    }
}

#[test]
fn extensions_end_at_their_limit_over_the_whole_body() {
    let chunk = format!("1;{}\r\nx\r\n", "e".repeat(500));
    assert!(follow(chunk.repeat(2).as_bytes(), 7).is_ok());
    assert_eq!(
        follow(chunk.repeat(3).as_bytes(), 7),
        Err(Refusal::ChunkExtension)
    );
}

#[test]
fn trailers_end_at_their_limits() {
    let many = format!("0\r\n{}\r\n", "a: b\r\n".repeat(17));
    let long = format!("0\r\na: {}\r\n\r\n", "b".repeat(1100));
    let much = format!(
        "0\r\n{}\r\n",
        format!("a: {}\r\n", "b".repeat(900)).repeat(5)
    );
    for bytes in [many, long, much] {
        assert_eq!(follow(bytes.as_bytes(), 11), Err(Refusal::TrailersTooLarge));
    }
}

#[test]
fn largest_chunk_size_does_not_overflow() {
    assert!(follow(b"fffffffffffffff\r\nx", 1).is_ok());
    assert_eq!(follow(b"1000000000000000\r\n", 1), Err(Refusal::ChunkSize));
}
