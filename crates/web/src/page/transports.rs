//! webrtc-pc §5.6 `RTCIceTransport`, §5.5 `RTCDtlsTransport`, §6.1.1 `RTCSctpTransport`.

use std::rc::{Rc, Weak};

use bytes::Bytes;
use idl::{
    RTCDtlsTransportState, RTCError, RTCErrorDetailType, RTCErrorInit, RTCIceComponent,
    RTCIceGathererState, RTCIceParameters, RTCIceRole, RTCIceTransportState, RTCSctpTransportState,
};
use js_sys::{Array, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};

use super::handler::{Handler, handlers};
use super::object::{Listening, find_or_make, identity};
use super::peer_connection::Connection;
use super::tasks::queue_a_task;
use super::{
    AnyEvent, Event, MaxMessageSize, RTCErrorEvent, RTCIceCandidate, RTCIceCandidatePair, convert,
    js,
};

/// Declares a transport: the handle, its object, and how the object listens to the page.
macro_rules! transport {
    (
        $(#[$meta:meta])*
        $name:ident, $object:ident over $js:ident {
            $($event:literal => $handler:ident: $fired:ty, $run:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            pub(crate) object: SendWrapper<Rc<$object>>,
        }

        pub(crate) struct $object {
            js: js::$js,
            connection: Weak<Connection>,
            $($handler: Handler<$fired>,)*
            _listening: Vec<Listening>,
        }

        impl $object {
            fn new(js: js::$js, connection: Weak<Connection>) -> Rc<Self> {
                Rc::new_cyclic(|this: &Weak<Self>| {
                    let listen = |name, run: fn(&$name, &js::Event)| {
                        let this = this.clone();
                        Listening::new(&js, name, move |event| {
                            if let Some(object) = this.upgrade() {
                                run(&$name { object: SendWrapper::new(object) }, &event);
                            }
                        })
                    };
                    Self {
                        _listening: vec![$(listen($event, $run)),*],
                        connection,
                        $($handler: Handler::default(),)*
                        js,
                    }
                })
            }

            /// Nothing will be fired at the transport any more.
            pub(crate) fn end(&self) {
                $(self.$handler.end();)*
            }
        }

        impl $name {
            /// The object of the page's transport, which the connection keeps.
            pub(crate) fn of(js: js::$js, connection: &Weak<Connection>) -> Self {
                let object =
                    find_or_make(&js.clone(), || $object::new(js, connection.clone()));
                if let Some(connection) = connection.upgrade() {
                    connection.keep(&object);
                }
                Self { object: SendWrapper::new(object) }
            }

            fn publish(&self, event: impl FnOnce() -> AnyEvent) {
                if let Some(connection) = self.object.connection.upgrade() {
                    connection.subscribers.publish(event);
                }
            }

            fn weak_object(&self) -> Weak<$object> {
                Rc::downgrade(&self.object)
            }

            fn queue_delivery(&self, deliver: fn(&Self)) {
                let transport = self.clone();
                queue_a_task(move || deliver(&transport));
            }
        }

        identity!($name, "state" => state);
    };
}

transport! {
    /// webrtc-pc §5.6: the ICE transport over which a connection's packets travel.
    ///
    /// What a browser does not have is `None` or empty here: Firefox lacks everything but the states.
    RTCIceTransport, IceTransportObject over IceTransport {
        "statechange" => statechange: Event<RTCIceTransport>, |this, _| {
            this.publish(|| AnyEvent::IceTransportStateChange(this.clone(), this.state()));
            this.object.statechange.fire(|| Some(this.clone()), ());
        };
        "gatheringstatechange" => gatheringstatechange: Event<RTCIceTransport>, |this, _| {
            let state = || this.gathering_state();
            this.publish(|| AnyEvent::IceTransportGatheringStateChange(this.clone(), state()));
            this.object.gatheringstatechange.fire(|| Some(this.clone()), ());
        };
        "selectedcandidatepairchange" => selectedcandidatepairchange: Event<RTCIceTransport>,
        |this, _| {
            let pair = || this.get_selected_candidate_pair();
            this.publish(|| AnyEvent::SelectedCandidatePairChange(this.clone(), pair()));
            this.object.selectedcandidatepairchange.fire(|| Some(this.clone()), ());
        };
    }
}

fn candidates(list: Result<Array, JsValue>) -> Vec<RTCIceCandidate> {
    let list = list.unwrap_or_default();
    list.iter().map(|one| RTCIceCandidate::of(one.unchecked_ref())).collect()
}

fn parameters(object: Result<JsValue, JsValue>) -> Option<RTCIceParameters> {
    object.ok().filter(JsValue::is_object).and_then(|object| convert::from_object(object).ok())
}

impl RTCIceTransport {
    /// Whether this agent nominates.
    #[doc(alias("RTCIceTransport.role"))]
    pub fn role(&self) -> RTCIceRole {
        self.object.js.role().and_then(convert::value).unwrap_or(RTCIceRole::Unknown)
    }

    /// Always `rtp`: RTCP is multiplexed.
    #[doc(alias("RTCIceTransport.component"))]
    pub fn component(&self) -> RTCIceComponent {
        RTCIceComponent::Rtp
    }

    /// The state of the transport.
    #[doc(alias("RTCIceTransport.state"))]
    pub fn state(&self) -> RTCIceTransportState {
        convert::value(self.object.js.state()).unwrap_or(RTCIceTransportState::Closed)
    }

    /// Whether the transport gathers candidates, or has gathered them.
    #[doc(alias = "gatheringState")]
    pub fn gathering_state(&self) -> RTCIceGathererState {
        convert::value(self.object.js.gathering_state()).unwrap_or(RTCIceGathererState::New)
    }

    /// The local candidates of the newest generation.
    #[doc(alias = "getLocalCandidates")]
    pub fn get_local_candidates(&self) -> Vec<RTCIceCandidate> {
        candidates(self.object.js.get_local_candidates())
    }

    /// The remote candidates of the newest generation.
    #[doc(alias = "getRemoteCandidates")]
    pub fn get_remote_candidates(&self) -> Vec<RTCIceCandidate> {
        candidates(self.object.js.get_remote_candidates())
    }

    /// The pair on which packets are sent.
    #[doc(alias = "getSelectedCandidatePair")]
    pub fn get_selected_candidate_pair(&self) -> Option<RTCIceCandidatePair> {
        let pair = self.object.js.get_selected_candidate_pair().ok().flatten();
        pair.map(RTCIceCandidatePair::of)
    }

    /// The credentials of the local description.
    #[doc(alias = "getLocalParameters")]
    pub fn get_local_parameters(&self) -> Option<RTCIceParameters> {
        parameters(self.object.js.get_local_parameters())
    }

    /// The credentials of the remote description.
    #[doc(alias = "getRemoteParameters")]
    pub fn get_remote_parameters(&self) -> Option<RTCIceParameters> {
        parameters(self.object.js.get_remote_parameters())
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener:
            Event<RTCIceTransport> => statechange;
        /// `gatheringstatechange`: [`gathering_state`](Self::gathering_state) has changed.
        #[doc(alias = "ongatheringstatechange")]
        on_gatheringstatechange / clear_on_gatheringstatechange
            / add_gatheringstatechange_listener: Event<RTCIceTransport> => gatheringstatechange;
        /// `selectedcandidatepairchange`: the pair in use has changed.
        #[doc(alias = "onselectedcandidatepairchange")]
        on_selectedcandidatepairchange / clear_on_selectedcandidatepairchange
            / add_selectedcandidatepairchange_listener:
            Event<RTCIceTransport> => selectedcandidatepairchange;
    }
}

transport! {
    /// webrtc-pc §5.5: the DTLS transport over which a connection's packets travel.
    RTCDtlsTransport, DtlsTransportObject over DtlsTransport {
        "statechange" => statechange: Event<RTCDtlsTransport>, |this, _| {
            this.publish(|| AnyEvent::DtlsTransportStateChange(this.clone(), this.state()));
            this.object.statechange.fire(|| Some(this.clone()), ());
        };
        "error" => error: RTCErrorEvent<RTCDtlsTransport>, |this, event| {
            let exception: js::Exception = event.error().unchecked_into();
            let error = convert::rtc_error(&exception).unwrap_or_else(|| {
                let init = RTCErrorInit::new(RTCErrorDetailType::DtlsFailure);
                RTCError::new(init, exception.message().unwrap_or_default())
            });
            this.publish(|| AnyEvent::DtlsTransportError(this.clone(), error.clone()));
            this.object.error.fire(|| Some(this.clone()), error);
        };
    }
}

impl RTCDtlsTransport {
    /// The ICE transport below.
    #[doc(alias = "iceTransport")]
    pub fn ice_transport(&self) -> RTCIceTransport {
        RTCIceTransport::of(self.object.js.ice_transport(), &self.object.connection)
    }

    /// The state of the transport.
    #[doc(alias("RTCDtlsTransport.state"))]
    pub fn state(&self) -> RTCDtlsTransportState {
        convert::value(self.object.js.state()).unwrap_or(RTCDtlsTransportState::Closed)
    }

    /// The peer's certificate chain, each certificate in DER; empty until the handshake is done.
    #[doc(alias = "getRemoteCertificates")]
    pub fn get_remote_certificates(&self) -> Vec<Bytes> {
        let certificates = self.object.js.get_remote_certificates().unwrap_or_default();
        certificates.iter().map(|one| Uint8Array::new(&one).to_vec().into()).collect()
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener:
            Event<RTCDtlsTransport> => statechange;
        /// `error`: the handshake failed, or either side sent a fatal alert.
        #[doc(alias = "onerror")]
        on_error / clear_on_error / add_error_listener: RTCErrorEvent<RTCDtlsTransport> => error;
    }
}

transport! {
    /// webrtc-pc §6.1.1: the SCTP association of a connection's data channels.
    RTCSctpTransport, SctpTransportObject over SctpTransport {
        "statechange" => statechange: Event<RTCSctpTransport>, |this, _| {
            this.publish(|| AnyEvent::SctpTransportStateChange(this.clone(), this.state()));
            this.object.statechange.fire(|| Some(this.clone()), ());
        };
    }
}

impl RTCSctpTransport {
    /// The DTLS transport below; `None` before an answer is applied, if the page says so.
    #[doc(alias("RTCSctpTransport.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let transport = self.object.js.transport()?;
        Some(RTCDtlsTransport::of(transport, &self.object.connection))
    }

    /// The state of the association.
    #[doc(alias("RTCSctpTransport.state"))]
    pub fn state(&self) -> RTCSctpTransportState {
        convert::value(self.object.js.state()).unwrap_or(RTCSctpTransportState::Closed)
    }

    /// The largest message that [`send`](super::RTCDataChannel::send) takes.
    #[doc(alias = "maxMessageSize")]
    pub fn max_message_size(&self) -> Option<MaxMessageSize> {
        let size = self.object.js.max_message_size()?;
        Some(if size.is_finite() {
            MaxMessageSize::Bytes(size as u64)
        } else {
            MaxMessageSize::Infinity
        })
    }

    /// How many channels can be open at a time; `None` until the association is up.
    #[doc(alias = "maxChannels")]
    pub fn max_channels(&self) -> Option<u16> {
        self.object.js.max_channels()
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener:
            Event<RTCSctpTransport> => statechange;
    }
}
