//! How loud the microphone is.

use yew::{Component, Context, Html, Properties, html};

use super::icon::{Drawing, icon};
use crate::platform::media::Sound;
use crate::platform::{dom, level, timer};
use crate::state::{Level, LevelWatch};

/// What the meter is given.
#[derive(Clone, PartialEq, Properties)]
pub struct LevelMeterProps {
    /// The microphone; `None` while it is off.
    pub sound: Option<Sound>,
    /// Its silence is intended.
    pub muted: bool,
}

/// A meter, and a word when nothing is heard for seconds. It draws itself
/// several times a second and nothing else with it.
pub struct LevelMeter {
    meter: Option<level::LevelMeter>,
    watch: LevelWatch,
    level: Level,
}

impl Component for LevelMeter {
    /// How loud it is, in percent.
    type Message = u8;
    type Properties = LevelMeterProps;

    fn create(ctx: &Context<Self>) -> Self {
        let mut meter = Self {
            meter: None,
            watch: LevelWatch::default(),
            level: Level::default(),
        };
        meter.listen(ctx);
        meter
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Self::Properties) -> bool {
        if heard(ctx.props()) != heard(old) {
            self.listen(ctx);
        }
        true
    }

    fn update(&mut self, _ctx: &Context<Self>, percent: Self::Message) -> bool {
        let level = self.watch.level(percent, timer::since_page_opened());
        let changed = self.level != level;
        self.level = level;
        changed
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let silent = heard(props).is_some() && self.level.silent;
        html! {
            <div class="level">
                { icon(if props.muted { Drawing::MicrophoneOff } else { Drawing::Microphone }) }
                <meter
                    id="micLevel"
                    min="0"
                    max="100"
                    value={self.level.percent.to_string()}
                    aria-label="Microphone level"
                />
                <span id="micSilence" role="status">
                    { if silent { "No sound from the microphone" } else { "" } }
                </span>
            </div>
        }
    }
}

impl LevelMeter {
    /// Listens to what the properties say, and to nothing else any more.
    fn listen(&mut self, ctx: &Context<Self>) {
        self.meter = heard(ctx.props()).and_then(|sound| {
            level::LevelMeter::start(sound, ctx.link().callback(|percent| percent))
                .inspect_err(|thrown| dom::log_warning(&thrown.to_string()))
                .ok()
        });
        self.watch = LevelWatch::default();
        self.level = Level::default();
    }
}

fn heard(props: &LevelMeterProps) -> Option<&Sound> {
    props.sound.as_ref().filter(|_| !props.muted)
}
