//! The examples `broadcast` and `play`: their pages show and play what they should.

use std::time::Duration;

use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::example::Example;
use crate::frames::{Frame, Frames};

in_each_browser! {
    pages_watch_what_one_page_broadcasts,
    a_page_shows_and_sounds_what_is_played_without_files,
    what_one_page_has_recorded_is_played_to_another,
}

/// How long each colour is recorded.
const RECORDED: Duration = Duration::from_secs(3);
/// For a whole test.
const LIMIT: Duration = Duration::from_secs(240);

impl Frame {
    /// Waits until the page shows this colour, and its own element plays.
    async fn shows(&mut self, colour: &str) {
        let look = "
            await shows(await watched('video'), args);
            await until(() => ({ is: /^playing [1-9]/.test(document.title), seen: document.title }));
        ";
        self.run(look, json!(colour)).await;
    }

    /// Waits until the page plays a tone of 440 Hz.
    async fn sounds(&mut self) {
        self.run("await sounds(await watched('audio'), 440)", json!(null)).await;
    }

    /// What the page sends has this colour from now on.
    async fn paint(&mut self, colour: &str) {
        let paint = "
            await until(() => ({ is: kept.painting, seen: 'no picture' }));
            kept.painting.colour = args;
        ";
        self.run(paint, json!(colour)).await;
    }
}

async fn pages_watch_what_one_page_broadcasts(browser: Browser) {
    tokio::time::timeout(LIMIT, broadcast(browser)).await.expect("an end in time");
}

async fn broadcast(browser: Browser) {
    let example = Example::start("broadcast", &[]).await;
    let mut frames = Frames::open(browser, &example).await;
    // One is there before there is anything to see.
    let mut watchers = vec![frames.page("/watch?start").await];
    let mut sender = frames.page("/?start").await;
    for _ in 0..3 {
        watchers.push(frames.page("/watch?start").await);
    }
    for colour in ["red", "lime", "blue"] {
        sender.paint(colour).await;
        for watcher in &mut watchers {
            watcher.shows(colour).await;
        }
    }
    for watcher in &mut watchers {
        watcher.sounds().await;
    }
    // Whoever comes late gets a key frame, and whoever leaves takes nothing from the others.
    watchers.swap_remove(0).run("pc.close()", json!(null)).await;
    watchers.push(frames.page("/watch?start").await);
    for watcher in &mut watchers {
        watcher.shows("blue").await;
    }
    // The last page that sends is the one that all see.
    let mut other = frames.page("/?start").await;
    other.paint("lime").await;
    for watcher in &mut watchers {
        watcher.shows("lime").await;
        watcher.sounds().await;
    }
}

async fn a_page_shows_and_sounds_what_is_played_without_files(browser: Browser) {
    tokio::time::timeout(LIMIT, play(browser)).await.expect("an end in time");
}

async fn play(browser: Browser) {
    let example = Example::start("play", &[]).await;
    let mut frames = Frames::open(browser, &example).await;
    for _ in 0..2 {
        let mut page = frames.page("/?start").await;
        // FFmpeg's `testsrc` is yellow right below the middle, and its clock changes each picture.
        page.run("COLOURS.yellow = [255, 255, 0]", json!(null)).await;
        page.shows("yellow").await;
        page.sounds().await;
        let goes_on = "
            const count = async () =>
                (await statistics()).find(s => s.framesDecoded !== undefined).framesDecoded;
            const before = await count();
            // The loop has ten pictures.
            await until(async () => {
                const now = await count();
                return { is: now > before + 20, seen: `${before}, then ${now}` };
            });
        ";
        page.run(goes_on, json!(null)).await;
    }
}

async fn what_one_page_has_recorded_is_played_to_another(browser: Browser) {
    tokio::time::timeout(LIMIT, record_and_play(browser)).await.expect("an end in time");
}

async fn record_and_play(browser: Browser) {
    let name = format!("peerconnection-played-{}-{browser}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let mut recorder = Example::start("record", &[folder.to_str().expect("a name")]).await;
    let mut frames = Frames::open(browser, &recorder).await;
    let mut sender = frames.page("/?start").await;
    recorder.line_with("connection connected").await;
    for colour in ["red", "lime"] {
        sender.paint(colour).await;
        tokio::time::sleep(RECORDED).await;
    }
    sender.run("pc.close()", json!(null)).await;
    for _ in 0..2 {
        recorder.line_with(" frames").await;
    }
    drop(frames);

    let files = ["1.ivf", "1.ogg"].map(|file| folder.join(file));
    let files = files.each_ref().map(|file| file.to_str().expect("a name"));
    let player = Example::start("play", &files).await;
    let mut frames = Frames::open(browser, &player).await;
    let mut page = frames.page("/?start").await;
    // Again and again.
    for colour in ["red", "lime", "red"] {
        page.shows(colour).await;
    }
    page.sounds().await;
    std::fs::remove_dir_all(&folder).expect("a folder of ours");
}
