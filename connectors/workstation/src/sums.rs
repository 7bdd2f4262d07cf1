//! Check sums that tokens carry in themselves.

/// The letters of base 62 in the order of these tokens.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How long the sum is at the end of a token.
const SUM: usize = 6;

/// Whether the last six letters are the CRC32 of those before, in base 62, zeros in front
/// (GitHub's tokens since 2021 and npm's).
pub fn crc62(body: &[u8]) -> bool {
    let Some(at) = body.len().checked_sub(SUM) else {
        return false;
    };
    let (value, sum) = body.split_at(at);
    sum == crc62_of(value)
}

/// The sum of a token's letters.
pub fn crc62_of(value: &[u8]) -> [u8; SUM] {
    let mut rest = crc32fast::hash(value);
    let mut sum = [b'0'; SUM];
    for place in sum.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *place = LETTERS.get(digit).copied().unwrap_or(b'0');
        rest /= 62;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_letters_before() {
        // CRC32 of "123456789" is 0xCBF43926 = 3,421,780,262, which is 3jZRME in base 62.
        assert_eq!(crc62_of(b"123456789"), *b"3jZRME");
        assert!(crc62(b"1234567893jZRME"));
        assert!(!crc62(b"1234567883jZRME"));
        assert!(!crc62(b"1234567893jZRMF"));
        assert_eq!(crc62_of(b""), *b"000000");
        assert!(!crc62(b"short"));
    }
}
