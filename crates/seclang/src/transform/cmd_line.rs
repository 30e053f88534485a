//! `t:cmdLine`: a command as a shell would see it, without what is only there to hide it.
//!
//! - Arguments: none.
//! - Returns: without `\ " ' ^`; each run of white space, `,` and `;` as one space; no space before
//!   `/` and `(`; lower case.
//! - Example: `C^OMMAND  /c` becomes `command/c`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if input.iter().all(plain) {
        return false;
    }
    let mut after_space = false;
    for byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !after_space {
                    out.push(b' ');
                }
                after_space = true;
            }
            b'/' | b'(' => {
                if after_space {
                    out.pop();
                }
                after_space = false;
                out.push(*byte);
            }
            _ => {
                after_space = false;
                out.push(byte.to_ascii_lowercase());
            }
        }
    }
    out != input
}
