use std::sync::{Arc, Mutex};

use negotiation::{ChannelCommand, Error};
use time::Instant;

use crate::api::RTCDataChannelState;
use crate::engine::testing::peer;

/// webrtc-pc §6.1.1.3 step 4: one channel after another; §6.2.7: `error`, then `close`.
#[test]
fn channels_open_or_fail_in_their_order_when_sctp_is_connected() {
    let (pc, driver) = peer(1);
    let log = Arc::new(Mutex::new(Vec::new()));
    let channels = ["a", "b", "c"].map(|label| pc.create_data_channel(label, None).unwrap());
    for channel in &channels {
        let (open, error, close) = (log.clone(), log.clone(), log.clone());
        channel.on_open(move |event| {
            open.lock().unwrap().push(format!("open {}", event.target().label()));
        });
        channel.on_error(move |event| {
            assert_eq!(event.target().ready_state(), RTCDataChannelState::Closed);
            error.lock().unwrap().push(format!("error {}", event.error().error_detail));
        });
        channel.on_close(move |event| {
            close.lock().unwrap().push(format!("close {}", event.target().label()));
        });
    }
    let [a, b, c] = channels.each_ref().map(|channel| channel.object.channel);
    let error = Error::OperationError("beyond".to_owned());
    for command in [
        ChannelCommand::AnnounceAsOpen { channel: a },
        ChannelCommand::Fail { channel: b, error },
        ChannelCommand::AnnounceAsOpen { channel: c },
    ] {
        driver.engine().run_channel_command(Instant::now(), command);
    }
    assert_eq!(channels[1].ready_state(), RTCDataChannelState::Connecting, "not before its task");
    while driver.run_task() {}
    assert_eq!(*log.lock().unwrap(), ["open a", "error data-channel-failure", "close b", "open c"]);
}
