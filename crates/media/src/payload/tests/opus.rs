//! RFC 6716 §3.1 and §3.2.

use crate::payload::opus::{begins_frame, duration, is_stereo};

#[test]
fn a_packet_says_how_long_it_is() {
    // Table 2: each configuration with one frame, in tenths of milliseconds.
    let silk = [100, 200, 400, 600];
    let (hybrid, celt) = ([100, 200], [25, 50, 100, 200]);
    let table = [silk, silk, silk].concat().into_iter().chain([hybrid, hybrid].concat());
    let table: Vec<u32> = table.chain([celt, celt, celt, celt].concat()).collect();
    assert_eq!(table.len(), 32);
    for (configuration, tenths) in (0..).zip(table) {
        let toc = |code: u8| configuration << 3 | code;
        let ticks = tenths * 48 / 10;
        assert_eq!(duration(&[toc(0), 1]), Some(ticks), "configuration {configuration}");
        assert_eq!(duration(&[toc(1), 1]), Some(2 * ticks));
        assert_eq!(duration(&[toc(2), 1]), Some(2 * ticks));
        // Code 3: the count is in the next octet, beside flags; no more than 120 ms (R5).
        let most = 1200 / tenths;
        let count = |count: u32| [toc(3), 0xc0 | u8::try_from(count).unwrap(), 1];
        assert_eq!(duration(&count(most)), Some(5760));
        assert_eq!(duration(&count(most + 1)), None);
        assert_eq!(duration(&count(0)), None);
    }
    assert_eq!((duration(&[]), duration(&[3])), (None, None));
    assert!(begins_frame(&[0xf8]) && !begins_frame(&[0xfb]));
}

#[test]
fn a_packet_says_how_many_channels_it_has() {
    assert!(is_stereo(&[0xfc]) && !is_stereo(&[0xf8]) && !is_stereo(&[]));
}
