//! What the played stream shows, and what can be done with it.

use core::time::Duration;

use yew::{
    AttrValue, Callback, Children, Component, Context, Html, NodeRef, PointerEvent, Properties,
    classes, html,
};

use super::help_sheet::{HelpSheet, help_sheet};
use super::icon::{Drawing, icon};
use super::picture_overlay::{PictureOverlay, picture_overlay};
use super::player_controls::{Abilities, PlayerControls, player_controls};
use crate::platform::fullscreen::FullScreen;
use crate::platform::keyboard::Keyboard;
use crate::platform::media::Picture;
use crate::platform::picture_in_picture::PictureInPicture;
use crate::platform::snapshot::{self, Download, Snapshot, SnapshotError};
use crate::platform::task::Task;
use crate::platform::timer::Timer;
use crate::platform::video::{self, Audio, Showing, Shown};
use crate::platform::{Thrown, dom};
use crate::state::{
    Fit, Keys, Loudness, Muted, NeededPress, PlayerAction, Setting, Settings, Sound, percent,
    snapshot_name, volume_step,
};

/// The controls stay this long after the last move of the pointer.
const AWAKE: Duration = Duration::from_secs(3);
/// What "Mute" goes back to from a volume of 0.
const AUDIBLE_VOLUME: f64 = 0.5;
/// What was done is said for this long; what failed stays until the next act.
const SAID: Duration = Duration::from_secs(4);

/// What the player is given.
#[derive(Clone, PartialEq, Properties)]
pub struct RemoteVideoProps {
    /// What to show; `None` while nothing plays.
    pub picture: Option<Picture>,
    /// What the page remembers.
    pub settings: Settings,
    /// Told of each change of a setting.
    pub on_setting: Callback<Setting>,
    /// The stream's name, for the names of files.
    #[prop_or_default]
    pub name: AttrValue,
    /// Its `<video>`, for others to look at.
    #[prop_or_default]
    pub video: NodeRef,
    /// A stream is asked for and not there yet.
    #[prop_or_default]
    pub busy: bool,
    /// A message over the picture.
    #[prop_or_default]
    pub notice: Option<AttrValue>,
    /// The publisher's microphone is muted, its camera is off.
    #[prop_or_default]
    pub publisher_muted: Muted,
    /// Takes all the room there is instead of 16:9.
    #[prop_or_default]
    pub fill: bool,
    /// More to show over the picture, in full screen too.
    #[prop_or_default]
    pub children: Children,
}

impl RemoteVideoProps {
    fn wish(&self) -> Loudness {
        Loudness {
            volume: self.settings.volume,
            muted: self.settings.muted,
        }
    }

    fn is_over(&self) -> bool {
        self.picture.is_none() && !self.busy && self.notice.is_none()
    }
}

/// What the player reacts to.
pub enum Msg {
    /// A button or a key was pressed.
    Act(PlayerAction),
    /// The slider was moved, 0 to 1.
    Volume(f64),
    /// The press the browser waited for.
    NeededPress,
    /// The user is there.
    Wake,
    /// The picture was touched.
    Touch,
    /// The user has not been there for a while, or has left.
    Doze,
    /// The shown stream tells something.
    Shown(Shown),
    /// The player has the whole screen or not.
    FullScreen(bool),
    /// The picture is in a window of its own or not.
    Small(bool),
    /// A snapshot is made, or cannot be.
    Snapshot(Result<Snapshot, SnapshotError>),
    /// Something was refused.
    Failed(&'static str, Thrown),
    /// What was said is old.
    Unsay,
    /// The help sheet was closed.
    HelpClosed,
}

/// The stream's picture and sound, with the player's controls over it.
pub struct RemoteVideo {
    frame: NodeRef,
    video: NodeRef,
    showing: Option<Showing>,
    sound: Sound,
    first_frame: bool,
    abilities: Abilities,
    full_screen: Option<FullScreen>,
    is_full: bool,
    picture_in_picture: Option<PictureInPicture>,
    is_small: bool,
    keyboard: Option<(Keys, Keyboard)>,
    help: bool,
    awake: Option<Timer>,
    said: String,
    unsay: Option<Timer>,
    download: Option<Download>,
    tasks: Tasks,
}

/// What is being waited for; the next of a kind replaces the last.
#[derive(Default)]
struct Tasks {
    window: Option<Task>,
    snapshot: Option<Task>,
    speaker: Option<Task>,
}

impl Component for RemoteVideo {
    type Message = Msg;
    type Properties = RemoteVideoProps;

    fn create(ctx: &Context<Self>) -> Self {
        Self {
            frame: NodeRef::default(),
            video: ctx.props().video.clone(),
            showing: None,
            sound: Sound::new(ctx.props().wish()),
            first_frame: false,
            abilities: Abilities::default(),
            full_screen: None,
            is_full: false,
            picture_in_picture: None,
            is_small: false,
            keyboard: None,
            help: false,
            awake: None,
            said: String::new(),
            unsay: None,
            download: None,
            tasks: Tasks::default(),
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first_render: bool) {
        if first_render {
            self.look_at_browser(ctx);
            self.show(ctx);
            if ctx.props().settings.speaker.is_some() {
                self.set_speaker(ctx);
            }
        }
        self.listen_to_keys(ctx);
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Self::Properties) -> bool {
        let props = ctx.props();
        if props.picture != old.picture {
            self.show(ctx);
        }
        if props.wish() != old.wish() {
            match &self.showing {
                Some(showing) => showing.wish(props.wish()),
                None => self.sound = Sound::new(props.wish()),
            }
        }
        if props.settings.speaker != old.settings.speaker {
            self.set_speaker(ctx);
        }
        if let (true, Some(window)) = (props.is_over(), &self.picture_in_picture) {
            window.leave();
        }
        true
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            Msg::Act(action) => self.act(ctx, action),
            Msg::Volume(volume) => self.set_volume(ctx, volume),
            Msg::NeededPress => self.press(),
            Msg::Wake => return self.wake(ctx),
            Msg::Touch if self.awake.is_some() => self.awake = None,
            Msg::Touch => return self.wake(ctx),
            Msg::Doze => self.awake = None,
            Msg::Shown(Shown::FirstFrame) => self.first_frame = true,
            Msg::Shown(Shown::Sound(sound)) => self.sound = sound,
            Msg::FullScreen(on) => self.is_full = on,
            Msg::Small(on) => self.is_small = on,
            Msg::Snapshot(taken) => self.save(ctx, taken),
            Msg::Failed(what, thrown) => self.say_failure(what, &thrown.to_string()),
            Msg::Unsay => self.said.clear(),
            Msg::HelpClosed => self.help = false,
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let link = ctx.link();
        let playing = props.picture.is_some();
        let class = classes!(
            "display",
            "player",
            props.fill.then_some("fill"),
            (props.settings.fit == Fit::Cover).then_some("cover"),
            (self.awake.is_some() || !playing).then_some("awake"),
        );
        html! {
            <div
                id="remoteVideo"
                {class}
                ref={&self.frame}
                onpointermove={link.batch_callback(on_pointer_move)}
                onpointerleave={link.batch_callback(on_pointer_leave)}
                onfocusin={link.callback(|_| Msg::Wake)}
            >
                <video
                    ref={&self.video}
                    playsinline=true
                    aria-label="Played stream"
                    ondblclick={link.callback(|_| Msg::Act(PlayerAction::FullScreen))}
                    onpointerdown={link.batch_callback(on_pointer_down)}
                />
                if props.is_over() {
                    <div class="empty">
                        { icon(Drawing::Screen) }
                        <span>{"The stream you play appears here"}</span>
                    </div>
                }
                { self.view_overlay(ctx) }
                { props.children.clone() }
                { self.view_controls(ctx) }
                if self.help {
                    { self.view_help(ctx) }
                }
            </div>
        }
    }
}

impl RemoteVideo {
    fn view_overlay(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        picture_overlay(&PictureOverlay {
            publisher_muted: props.publisher_muted,
            notice: props.notice.as_deref().unwrap_or_default(),
            waiting: self.is_waiting(props),
            press: self.needed_press(props),
            on_press: ctx.link().callback(|_| Msg::NeededPress),
            said: &self.said,
        })
    }

    fn view_controls(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        player_controls(&PlayerControls {
            abilities: self.abilities,
            playing: props.picture.is_some(),
            muted: self.is_silent(props),
            volume: props.settings.volume,
            fit: props.settings.fit,
            full_screen: self.is_full,
            small: self.is_small,
            on_action: ctx.link().callback(Msg::Act),
            on_volume: ctx.link().callback(Msg::Volume),
        })
    }

    fn view_help(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        help_sheet(HelpSheet {
            enabled: props.settings.shortcuts,
            on_enabled: props.on_setting.reform(Setting::Shortcuts),
            on_close: ctx.link().callback(|()| Msg::HelpClosed),
        })
    }

    /// A picture is on its way, and nothing else says so.
    fn is_waiting(&self, props: &RemoteVideoProps) -> bool {
        let asked = props.busy || props.picture.is_some();
        asked && !self.first_frame && props.notice.is_none() && self.sound.press().is_none()
    }

    /// The press the browser waits for; there is none without a picture.
    fn needed_press(&self, props: &RemoteVideoProps) -> Option<NeededPress> {
        props.picture.as_ref().and(self.sound.press())
    }

    fn look_at_browser(&mut self, ctx: &Context<Self>) {
        let link = ctx.link();
        let on_full = link.callback(Msg::FullScreen);
        self.full_screen = FullScreen::watch(&self.frame, &self.video, &on_full);
        let on_small = link.callback(Msg::Small);
        self.picture_in_picture = PictureInPicture::watch(&self.video, &on_small);
        self.abilities = Abilities {
            volume: video::volume_works(),
            full_screen: self.full_screen.is_some(),
            picture_in_picture: self.picture_in_picture.is_some(),
        };
    }

    /// Shows the picture of the properties, and no other any more.
    fn show(&mut self, ctx: &Context<Self>) {
        // The old one empties the element, so it goes first.
        self.showing = None;
        self.first_frame = false;
        self.sound = Sound::new(ctx.props().wish());
        if let Some(picture) = &ctx.props().picture {
            let audio = Audio::Heard(ctx.props().wish(), ctx.link().callback(Msg::Shown));
            self.showing = Showing::start(&self.video, picture, audio);
        }
    }

    fn listen_to_keys(&mut self, ctx: &Context<Self>) {
        let props = ctx.props();
        let keys = Keys {
            enabled: props.settings.shortcuts,
            playing: props.picture.is_some(),
            help: self.help,
            alone: props.fill,
        };
        if self.keyboard.as_ref().is_some_and(|(old, _)| *old == keys) {
            return;
        }
        let on_action = ctx.link().callback(Msg::Act);
        let keyboard = Keyboard::listen(&self.frame, move |stroke| {
            let action = keys.action(stroke);
            action.map(|action| on_action.emit(action)).is_some()
        });
        self.keyboard = keyboard.map(|keyboard| (keys, keyboard));
    }

    fn act(&mut self, ctx: &Context<Self>, action: PlayerAction) {
        self.wake(ctx);
        self.unsay = None;
        self.said.clear();
        let settings = &ctx.props().settings;
        let on_setting = &ctx.props().on_setting;
        match action {
            PlayerAction::Mute => self.toggle_mute(ctx),
            PlayerAction::Louder => self.step_volume(ctx, true),
            PlayerAction::Quieter => self.step_volume(ctx, false),
            PlayerAction::Fit => on_setting.emit(Setting::Fit(match settings.fit {
                Fit::Contain => Fit::Cover,
                Fit::Cover => Fit::Contain,
            })),
            PlayerAction::Statistics => {
                on_setting.emit(Setting::Statistics(!settings.statistics));
            }
            PlayerAction::Help => self.help = !self.help,
            PlayerAction::FullScreen => self.toggle_full_screen(ctx),
            PlayerAction::PictureInPicture => self.toggle_picture_in_picture(ctx),
            PlayerAction::Snapshot => self.take_snapshot(ctx),
        }
    }

    /// There is no sound, whoever wants it so.
    fn is_silent(&self, props: &RemoteVideoProps) -> bool {
        self.sound.shows_muted() || props.settings.volume == 0.0
    }

    fn toggle_mute(&mut self, ctx: &Context<Self>) {
        if self.is_silent(ctx.props()) {
            if ctx.props().settings.volume == 0.0 {
                let audible = Setting::Volume(AUDIBLE_VOLUME);
                ctx.props().on_setting.emit(audible);
            }
            self.unmute(ctx);
            self.say(ctx, "Sound on".to_owned());
        } else {
            ctx.props().on_setting.emit(Setting::Muted(true));
            self.say(ctx, "Sound off".to_owned());
        }
    }

    /// Out of the user's own mute, or out of the browser's.
    fn unmute(&self, ctx: &Context<Self>) {
        if ctx.props().settings.muted {
            ctx.props().on_setting.emit(Setting::Muted(false));
        } else {
            self.press();
        }
    }

    fn press(&self) {
        if let Some(showing) = &self.showing {
            showing.press();
        }
    }

    fn step_volume(&mut self, ctx: &Context<Self>, louder: bool) {
        let volume = volume_step(ctx.props().settings.volume, louder);
        self.set_volume(ctx, volume);
        self.say(ctx, format!("Volume {}%", percent(volume)));
    }

    fn set_volume(&mut self, ctx: &Context<Self>, volume: f64) {
        ctx.props().on_setting.emit(Setting::Volume(volume));
        if volume > 0.0 && self.sound.shows_muted() {
            self.unmute(ctx);
        }
    }

    fn toggle_full_screen(&mut self, ctx: &Context<Self>) {
        if let Some(full_screen) = &self.full_screen {
            let asked = full_screen.toggle();
            self.tasks.window = Some(self.refusal(ctx, "Full screen", asked));
        }
    }

    fn toggle_picture_in_picture(&mut self, ctx: &Context<Self>) {
        if let Some(window) = &self.picture_in_picture {
            let asked = window.toggle();
            self.tasks.window = Some(self.refusal(ctx, "Picture in picture", asked));
        }
    }

    fn set_speaker(&mut self, ctx: &Context<Self>) {
        let id = ctx.props().settings.speaker.clone().unwrap_or_default();
        let video = self.video.clone();
        let asked = async move { video::set_speaker(&video, &id).await };
        self.tasks.speaker = Some(self.refusal(ctx, "The speaker", asked));
    }

    /// Waits for `asked` and tells of its failure.
    fn refusal(
        &self,
        ctx: &Context<Self>,
        what: &'static str,
        asked: impl Future<Output = Result<(), Thrown>> + 'static,
    ) -> Task {
        let link = ctx.link().clone();
        Task::spawn(async move {
            if let Err(thrown) = asked.await {
                link.send_message(Msg::Failed(what, thrown));
            }
        })
    }

    fn take_snapshot(&mut self, ctx: &Context<Self>) {
        let (video, link) = (self.video.clone(), ctx.link().clone());
        self.tasks.snapshot = Some(Task::spawn(async move {
            link.send_message(Msg::Snapshot(Snapshot::take(&video).await));
        }));
    }

    fn save(&mut self, ctx: &Context<Self>, taken: Result<Snapshot, SnapshotError>) {
        let name = snapshot_name(&ctx.props().name, snapshot::local_moment());
        match taken.and_then(|snapshot| snapshot.download(&name)) {
            Ok(download) => {
                self.download = Some(download);
                self.say(ctx, format!("Saved as {name}"));
            }
            Err(error) => self.say_failure("The picture", &error.to_string()),
        }
    }

    fn say(&mut self, ctx: &Context<Self>, text: String) {
        self.said = text;
        let link = ctx.link().clone();
        self.unsay = Some(Timer::after(SAID, move || link.send_message(Msg::Unsay)));
    }

    fn say_failure(&mut self, what: &str, why: &str) {
        self.said = format!("{what}: {why}");
        self.unsay = None;
    }

    /// Shows the controls for a while; whether they were hidden.
    fn wake(&mut self, ctx: &Context<Self>) -> bool {
        let link = ctx.link().clone();
        let doze = Timer::after(AWAKE, move || link.send_message(Msg::Doze));
        self.awake.replace(doze).is_none()
    }
}

fn on_pointer_move(event: PointerEvent) -> Option<Msg> {
    dom::is_mouse(&event).then_some(Msg::Wake)
}

fn on_pointer_leave(event: PointerEvent) -> Option<Msg> {
    dom::is_mouse(&event).then_some(Msg::Doze)
}

fn on_pointer_down(event: PointerEvent) -> Option<Msg> {
    (!dom::is_mouse(&event)).then_some(Msg::Touch)
}
