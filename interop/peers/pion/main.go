// A peer with pion, as Debian packages it: built with GO111MODULE=off and Debian's GOPATH. With the
// argument `lite` it is ICE-lite.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	// Without modules, and so without the /v3 of its name.
	"github.com/pion/webrtc"
)

// Pion has no constant for its version. The linker gives it, from Debian's package.
var version string

type command struct {
	ID        int                      `json:"id"`
	Do        string                   `json:"do"`
	Label     string                   `json:"label"`
	Text      string                   `json:"text"`
	SDP       string                   `json:"sdp"`
	Restart   bool                     `json:"restart"`
	Candidate *webrtc.ICECandidateInit `json:"candidate"`
}

type object map[string]interface{}

var output sync.Mutex

func tell(event object) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

type peer struct {
	pc       *webrtc.PeerConnection
	mutex    sync.Mutex
	channels map[string]*webrtc.DataChannel
}

func (p *peer) watch(channel *webrtc.DataChannel) {
	label := channel.Label()
	p.mutex.Lock()
	p.channels[label] = channel
	p.mutex.Unlock()
	channel.OnOpen(func() { tell(object{"event": "open", "label": label}) })
	channel.OnClose(func() { tell(object{"event": "close", "label": label}) })
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		if !strings.HasPrefix(label, "echo") {
			tell(object{"event": "message", "label": label, "text": string(message.Data)})
			return
		}
		var err error
		if message.IsString {
			err = channel.SendText(string(message.Data))
		} else {
			err = channel.Send(message.Data)
		}
		if err != nil {
			tell(object{"event": "error", "message": err.Error()})
		}
	})
}

func (p *peer) described(description webrtc.SessionDescription, err error) (interface{}, error) {
	if err != nil {
		return nil, err
	}
	if err := p.pc.SetLocalDescription(description); err != nil {
		return nil, err
	}
	return object{"sdp": p.pc.LocalDescription().SDP}, nil
}

func (p *peer) do(c command) (interface{}, error) {
	p.mutex.Lock()
	channel := p.channels[c.Label]
	p.mutex.Unlock()
	switch c.Do {
	case "version":
		return object{"name": "pion", "version": version}, nil
	case "channel":
		channel, err := p.pc.CreateDataChannel(c.Label, nil)
		if err == nil {
			p.watch(channel)
		}
		return nil, err
	case "media":
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if _, err := p.pc.AddTransceiverFromKind(kind); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "offer":
		return p.described(p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: c.Restart}))
	case "answer":
		offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.SDP}
		if err := p.pc.SetRemoteDescription(offer); err != nil {
			return nil, err
		}
		return p.described(p.pc.CreateAnswer(nil))
	case "accept":
		return nil, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: c.SDP})
	case "candidate":
		if c.Candidate == nil {
			return nil, p.pc.AddICECandidate(webrtc.ICECandidateInit{})
		}
		return nil, p.pc.AddICECandidate(*c.Candidate)
	case "send":
		return nil, channel.SendText(c.Text)
	case "close":
		return nil, channel.Close()
	case "end":
		return nil, p.pc.Close()
	}
	return nil, fmt.Errorf("%q is no command", c.Do)
}

func connection(lite bool) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(lite)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
}

func main() {
	pc, err := connection(len(os.Args) > 1 && os.Args[1] == "lite")
	if err != nil {
		panic(err)
	}
	p := &peer{pc: pc, channels: map[string]*webrtc.DataChannel{}}
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			tell(object{"event": "candidate", "candidate": nil})
			return
		}
		tell(object{"event": "candidate", "candidate": candidate.ToJSON()})
	})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		tell(object{"event": "state", "state": state.String()})
	})
	pc.OnICEConnectionStateChange(func(state webrtc.ICEConnectionState) {
		tell(object{"event": "ice", "state": state.String()})
	})
	pc.OnDataChannel(func(channel *webrtc.DataChannel) {
		p.watch(channel)
		tell(object{"event": "channel", "label": channel.Label()})
	})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		tell(object{"event": "track", "kind": track.Kind().String()})
	})

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		if ok, err := p.do(c); err != nil {
			tell(object{"id": c.ID, "error": err.Error()})
		} else {
			tell(object{"id": c.ID, "ok": ok})
		}
	}
}
