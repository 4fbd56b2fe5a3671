//! Which datagrams belong to a handshake that a peer begins beside an association that is there
//! (RFC 6347 §4.2.8, RFC 9147 §5.11).

const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// The random number of the ClientHello that a datagram begins with. It is the same in each
/// repetition, and in the answer to a HelloRetryRequest or HelloVerifyRequest.
pub fn client_hello_random(datagram: &[u8]) -> Option<[u8; 32]> {
    let (&[HANDSHAKE, _, _, 0, 0, ..], message) = datagram.split_first_chunk::<13>()? else {
        return None;
    };
    let (header, body) = message.split_first_chunk::<12>()?;
    let is_first = header.first() == Some(&CLIENT_HELLO) && header.get(6..9) == Some(&[0; 3]);
    body.get(2..)?.first_chunk().copied().filter(|_| is_first)
}

/// Whether a datagram may belong to a handshake: its first record is in the clear, or protected as
/// the end of a handshake is. What carries data, and alerts under the keys of data, are not.
pub fn may_be_of_handshake(datagram: &[u8]) -> bool {
    match datagram {
        [first, ..] if first >> 5 == 1 => first & 0b11 == 2,
        [CHANGE_CIPHER_SPEC | HANDSHAKE, ..] => true,
        [_, _, _, 0, 0, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(kind: u8, offset: u8) -> Vec<u8> {
        let record = [HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 60];
        let message = [kind, 0, 0, 48, 0, 0, 0, 0, offset, 0, 0, 48];
        [&record[..], &message, &[0xfe, 0xfd], &[7; 32], &[0; 14]].concat()
    }

    #[test]
    fn a_client_hello_is_told_by_its_random_number() {
        let datagram = hello(CLIENT_HELLO, 0);
        assert_eq!(client_hello_random(&datagram), Some([7; 32]));
        for length in 0..59 {
            assert_eq!(client_hello_random(&datagram[..length]), None);
        }
        assert_eq!(client_hello_random(&hello(2, 0)), None, "a ServerHello");
        assert_eq!(client_hello_random(&hello(CLIENT_HELLO, 1)), None, "its second fragment");
        let mut protected = datagram;
        protected[4] = 1;
        assert_eq!(client_hello_random(&protected), None);
    }

    #[test]
    fn data_and_its_alerts_belong_to_no_handshake() {
        let record = |kind, epoch| [kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(may_be_of_handshake(&hello(CLIENT_HELLO, 0)));
        for (kind, epoch) in [(22, 0), (22, 1), (20, 0), (21, 0)] {
            assert!(may_be_of_handshake(&record(kind, epoch)), "{kind} {epoch}");
        }
        for (kind, epoch) in [(23, 1), (21, 1)] {
            assert!(!may_be_of_handshake(&record(kind, epoch)), "{kind} {epoch}");
        }
        assert!(may_be_of_handshake(&[0b0010_1110, 0, 0, 0, 1, 9]), "DTLS 1.3, epoch 2");
        assert!(!may_be_of_handshake(&[0b0010_1111, 0, 0, 0, 1, 9]), "DTLS 1.3, epoch 3");
        assert!(!may_be_of_handshake(&[]));
    }
}
