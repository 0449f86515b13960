//! The query of an address: `?q=web&show=online`.

/// The value of a parameter; empty when it is absent.
pub(crate) fn get(search: &str, name: &str) -> String {
    pairs(search)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
        .unwrap_or_default()
}

/// The query with a parameter set, or taken out when `value` is empty.
pub(crate) fn set(search: &str, name: &str, value: &str) -> String {
    let mut kept: Vec<(String, String)> = pairs(search).filter(|(key, _)| key != name).collect();
    if !value.is_empty() {
        kept.push((name.to_owned(), value.to_owned()));
    }
    let words: Vec<String> = kept
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    if words.is_empty() {
        String::new()
    } else {
        format!("?{}", words.join("&"))
    }
}

fn pairs(search: &str) -> impl Iterator<Item = (String, String)> {
    search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            other => {
                out.push('%');
                out.push(char::from(HEX[usize::from(other >> 4)]));
                out.push(char::from(HEX[usize::from(other & 15)]));
            }
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let pair: Vec<u8> = bytes.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&pair).ok().filter(|hex| hex.len() == 2);
                if let Some(value) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    out.push(value);
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_read_back() {
        for value in ["web", "tag:db online", "ä & b=c%", "100.64.0.1"] {
            let search = set("?show=online", "q", value);
            assert_eq!(get(&search, "q"), value);
            assert_eq!(get(&search, "show"), "online");
        }
    }

    #[test]
    fn an_empty_value_takes_the_parameter_out() {
        assert_eq!(set("?q=a", "q", ""), "");
        assert_eq!(set("?q=a&show=all", "q", ""), "?show=all");
        assert_eq!(get("", "q"), "");
    }

    #[test]
    fn broken_escapes_do_no_harm() {
        assert_eq!(get("?q=%zz%4", "q"), "");
        assert_eq!(get("?q=a+b", "q"), "a b");
    }
}
