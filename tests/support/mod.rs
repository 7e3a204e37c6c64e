//! A page on a fresh mount point, against a scripted server.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo_timers::callback::Timeout;
use serde_json::{Value, json};
use two_way_streaming::pages::app::{App, AppProps};
use two_way_streaming::platform::socket::{
    Connect, Socket, SocketError, SocketEvent, SocketRequest,
};
use two_way_streaming::platform::storage::Storage;
use two_way_streaming::state::Link;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Element, Event, EventInit, HtmlElement, HtmlInputElement, HtmlVideoElement};
use yew::{AppHandle, Callback, Renderer, scheduler};

/// Turns of the event loop to wait for a condition: seconds, at 10 ms a turn.
const MAX_TURNS: u32 = 1_000;

#[wasm_bindgen(module = "/tests/support/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = openPeers)]
    pub(crate) fn open_peers() -> u32;
    #[wasm_bindgen(js_name = answeredPeers)]
    pub(crate) fn answered_peers() -> u32;
    #[wasm_bindgen(js_name = runningTimers)]
    pub(crate) fn running_timers() -> u32;
    #[wasm_bindgen(js_name = answerWithCamera)]
    pub(crate) async fn answer_with_camera(offer: &str) -> wasm_bindgen::JsValue;
    #[wasm_bindgen(js_name = stopAnswering)]
    pub(crate) fn stop_answering();
    #[wasm_bindgen(js_name = serveWhep)]
    pub(crate) fn serve_whep();
    #[wasm_bindgen(js_name = stopServing)]
    pub(crate) fn stop_serving() -> Vec<String>;
    #[wasm_bindgen(js_name = isPlaying)]
    pub(crate) fn is_playing(video: &HtmlVideoElement) -> bool;
    #[wasm_bindgen(js_name = tracks)]
    pub(crate) fn tracks(video: &HtmlVideoElement) -> Vec<web_sys::MediaStreamTrack>;
}

/// The far end of the page's socket.
#[derive(Clone, Default)]
pub(crate) struct Server(Rc<RefCell<ServerState>>);

#[derive(Default)]
struct ServerState {
    url: String,
    on_event: Option<Callback<SocketEvent>>,
    sent: Vec<Value>,
    open_sockets: u32,
}

struct FakeSocket(Server);

impl Socket for FakeSocket {
    fn send(&self, text: &str) -> Result<(), SocketError> {
        let message = serde_json::from_str(text).expect("the page sends JSON");
        self.0.0.borrow_mut().sent.push(message);
        Ok(())
    }
}

impl Drop for FakeSocket {
    fn drop(&mut self) {
        self.0.0.borrow_mut().open_sockets -= 1;
    }
}

impl Server {
    fn connect(&self) -> Connect {
        let server = self.clone();
        Callback::from(move |SocketRequest { url, on_event }| {
            let mut state = server.0.borrow_mut();
            state.url = url;
            state.on_event = Some(on_event);
            state.open_sockets += 1;
            drop(state);
            Ok(Box::new(FakeSocket(server.clone())) as Box<dyn Socket>)
        })
    }

    pub(crate) fn event(&self, event: SocketEvent) {
        let on_event = self.0.borrow().on_event.clone();
        on_event.expect("the page has connected").emit(event);
    }

    pub(crate) fn say(&self, message: &str, argument: Value) {
        let text = json!({"message": message, "data": [argument]}).to_string();
        self.event(SocketEvent::Message(text));
    }

    pub(crate) fn url(&self) -> String {
        self.0.borrow().url.clone()
    }

    pub(crate) fn open_sockets(&self) -> u32 {
        self.0.borrow().open_sockets
    }

    /// The argument of the last message of this name.
    pub(crate) fn last(&self, message: &str) -> Option<Value> {
        let state = self.0.borrow();
        let mut newest_first = state.sent.iter().rev();
        let found = newest_first.find(|sent| sent["message"] == message)?;
        Some(found["data"][0].clone())
    }

    /// Answers the offer of `request`.
    pub(crate) fn say_answer(&self, request: &Value, sdp: &str) {
        let data = json!([request["mediaSessionId"], sdp, true]);
        let text = json!({"message": "setRemoteSDP", "data": data}).to_string();
        self.event(SocketEvent::Message(text));
    }

    /// Tells the status of the stream that `request` asked for.
    pub(crate) fn status(&self, request: &Value, status: &str, info: Option<&str>) {
        self.say(
            "notifyStreamStatusEvent",
            json!({
                "mediaSessionId": request["mediaSessionId"],
                "name": request["name"],
                "status": status,
                "info": info,
            }),
        );
    }
}

/// The mounted page; dropping it unmounts it.
pub(crate) struct Page {
    root: Element,
    app: Option<AppHandle<App>>,
    pub(crate) server: Server,
}

impl Page {
    pub(crate) async fn open() -> Self {
        Self::open_with("", Storage::none()).await
    }

    /// A page opened by a link, with what it remembers.
    pub(crate) async fn open_with(query: &str, storage: Storage) -> Self {
        let document = web_sys::window().unwrap().document().unwrap();
        let root = document.create_element("div").unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        let server = Server::default();
        let props = AppProps {
            connect: server.connect(),
            link: Link::parse(query),
            storage,
        };
        let app = Renderer::<App>::with_root_and_props(root.clone(), props);
        let page = Self {
            root,
            app: Some(app.render()),
            server,
        };
        scheduler::flush().await;
        page
    }

    /// A page with an ESTABLISHED session.
    pub(crate) async fn established() -> Self {
        let page = Self::open().await;
        page.click("connectBtn").await;
        page.until("a socket", || page.server.open_sockets() == 1)
            .await;
        page.server.event(SocketEvent::Opened);
        page.server.say("getUserData", json!({}));
        page.until_text("connectStatus", "ESTABLISHED").await;
        page
    }

    /// An established page that asked to play; the request.
    pub(crate) async fn asked_to_play(&self) -> Value {
        self.asked("playBtn", "playStream").await
    }

    /// An established page that asked to publish; the request.
    pub(crate) async fn asked_to_publish(&self) -> Value {
        self.asked("publishBtn", "publishStream").await
    }

    pub(crate) async fn asked(&self, button: &str, message: &str) -> Value {
        let before = self.server.last(message);
        self.click(button).await;
        self.until(message, || self.server.last(message) != before)
            .await;
        self.server.last(message).unwrap()
    }

    pub(crate) fn unmount(&mut self) {
        if let Some(app) = self.app.take() {
            app.destroy();
        }
    }

    pub(crate) fn element(&self, id: &str) -> HtmlElement {
        let found = self.root.query_selector(&format!("#{id}")).unwrap();
        found.unwrap_or_else(|| panic!("no #{id}")).unchecked_into()
    }

    pub(crate) fn video(&self, id: &str) -> HtmlVideoElement {
        let found = self.root.query_selector(&format!("#{id} video")).unwrap();
        found.unwrap().unchecked_into()
    }

    pub(crate) fn has(&self, selector: &str) -> bool {
        self.root.query_selector(selector).unwrap().is_some()
    }

    pub(crate) fn text(&self, id: &str) -> String {
        self.element(id).text_content().unwrap()
    }

    pub(crate) fn value(&self, id: &str) -> String {
        self.element(id).unchecked_ref::<HtmlInputElement>().value()
    }

    pub(crate) fn enabled(&self, id: &str) -> bool {
        !self.element(id).has_attribute("disabled")
    }

    pub(crate) async fn click(&self, id: &str) {
        self.element(id).click();
        scheduler::flush().await;
    }

    /// Works for `<textarea>` too: both have `value`.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let element = self.element(id);
        js_sys::Reflect::set(&element, &"value".into(), &text.into()).unwrap();
        let init = EventInit::new();
        init.set_bubbles(true);
        let event = Event::new_with_event_init_dict("input", &init).unwrap();
        element.dispatch_event(&event).unwrap();
        scheduler::flush().await;
    }

    pub(crate) async fn until_text(&self, id: &str, expected: &str) {
        self.until(&format!("#{id}: {expected}"), || self.text(id) == expected)
            .await;
    }

    /// Lets the page work until it shows `expected`.
    pub(crate) async fn until_shown(&self, what: &str, expected: &str, shown: impl Fn() -> String) {
        for _ in 0..MAX_TURNS {
            scheduler::flush().await;
            if shown() == expected {
                return;
            }
            turn().await;
        }
        assert_eq!(shown(), expected, "{what}");
    }

    /// Lets the page work until the condition holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        for _ in 0..MAX_TURNS {
            scheduler::flush().await;
            if condition() {
                return;
            }
            turn().await;
        }
        panic!("never came: {what}");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.unmount();
        self.root.remove();
    }
}

pub(crate) async fn turn() {
    let (sender, turned) = oneshot::channel();
    let _timer = Timeout::new(10, move || {
        let _waiting = sender.send(());
    });
    let _turned = turned.await;
}
