//! Watches the played stream: samples it, guards its delay and shows both.
//!
//! All of it is this component's own state, so that a new figure each second
//! draws nothing else of the page again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use yew::{AttrValue, Callback, Component, Context, Html, NodeRef, Properties, html};

use super::statistics_panel::{StatisticsPanel, statistics_panel};
use crate::driver::Remote;
use crate::platform::frames::{self, FrameWatch, StripReader, Video};
use crate::platform::peer::stats::{self, Sampler};
use crate::platform::peer::{Milestones, Probe};
use crate::platform::task::Task;
use crate::platform::{clipboard, dom, location, timer};
use crate::state::ServerRate;
use crate::state::guard::{Action, Guard, Measure, Reading};
use crate::state::statistics::{
    About, DelaySource, FirstFrame, Frame, FrameLog, Point, Record, Sample, StripSearch, bug_report,
};

/// What the statistics are given.
#[derive(Clone, PartialEq, Properties)]
pub struct PlayStatisticsProps {
    /// The played stream; `None` while nothing plays.
    pub remote: Option<Remote>,
    /// An element around the `<video>` that shows it.
    pub stage: NodeRef,
    /// Whether the panel is open.
    pub open: bool,
    /// Whether there is a button to open and close it.
    #[prop_or(true)]
    pub has_button: bool,
    /// The server's address, for the report.
    pub server: AttrValue,
    /// What the server counts of the stream.
    pub server_rate: Option<ServerRate>,
    /// Told that the panel shall be open or not.
    pub on_open: Callback<bool>,
    /// Told to play the stream again, because nothing else brings it back to live.
    pub on_restart: Callback<()>,
}

/// What the statistics react to.
pub enum Msg {
    /// A sample is there.
    Sampled(Box<Sample>),
    /// The user wants a report.
    Copy,
    /// What became of it, for people.
    Copied(String),
}

/// The statistics of the played stream, and its guard.
pub struct PlayStatistics {
    play: Option<Play>,
    /// Of the last play, which a report may be about.
    record: Record,
    frames: Rc<RefCell<FrameLog>>,
    milestones: Option<Milestones>,
    guard: Guard,
    open: Rc<Cell<bool>>,
    copied: AttrValue,
    copying: Option<Task>,
}

/// A play that is watched. Dropping it ends that.
struct Play {
    probe: Probe,
    watch: Option<FrameWatch>,
    _sampler: Sampler,
}

impl Component for PlayStatistics {
    type Message = Msg;
    type Properties = PlayStatisticsProps;

    fn create(ctx: &Context<Self>) -> Self {
        Self {
            play: None,
            record: Record::default(),
            frames: Rc::default(),
            milestones: None,
            guard: Guard::default(),
            open: Rc::new(Cell::new(ctx.props().open)),
            copied: AttrValue::default(),
            copying: None,
        }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Self::Properties) -> bool {
        let props = ctx.props();
        if props.remote != old.remote {
            self.play = None;
            self.guard.handle_end();
        }
        if props.open != old.open {
            self.open.set(props.open);
            self.watch_frames(props.open);
        }
        if props.server_rate != old.server_rate
            && let Some(rate) = props.server_rate
        {
            self.record.handle_server_rate(rate.bits_per_second);
        }
        true
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        if self.play.is_none()
            && let Some(remote) = &ctx.props().remote
        {
            self.start(ctx, remote);
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            Msg::Sampled(sample) => self.handle_sample(ctx, *sample),
            Msg::Copy => {
                self.copy(ctx);
                false
            }
            Msg::Copied(result) => {
                self.copied = result.into();
                self.copying = None;
                true
            }
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let open = props.open;
        html! {
            <div class="play-statistics">
                <div class="statistics-bar">
                    if props.has_button {
                        <button
                            id="statsBtn"
                            type="button"
                            class="button"
                            aria-expanded={open.to_string()}
                            aria-controls={open.then_some("statsPanel")}
                            onclick={props.on_open.reform(move |_| !open)}
                        >
                            {"Statistics"}
                        </button>
                    }
                    <span id="guardNote" role="status">{ self.guard.note() }</span>
                </div>
                if open {
                    { self.view_panel(ctx) }
                }
            </div>
        }
    }
}

impl PlayStatistics {
    fn view_panel(&self, ctx: &Context<Self>) -> Html {
        statistics_panel(&StatisticsPanel {
            overview: self.record.overview(),
            first_frame: self.first_frame(),
            copied: &self.copied,
            on_copy: ctx.link().callback(|_| Msg::Copy),
        })
    }

    /// Begins to watch a play, with nothing left of the one before.
    fn start(&mut self, ctx: &Context<Self>, remote: &Remote) {
        self.record = Record::default();
        self.frames = Rc::default();
        self.milestones = None;
        self.guard.handle_new_stream();
        let video = frames::video_in(&ctx.props().stage);
        let on_sample = ctx.link().callback(|sample| Msg::Sampled(Box::new(sample)));
        self.play = Some(Play {
            probe: remote.probe.clone(),
            watch: video
                .and_then(|video| FrameWatch::start(&video, note_frames(&self.frames, &self.open))),
            _sampler: Sampler::start(&remote.probe, on_sample),
        });
        self.watch_frames(ctx.props().open);
    }

    fn watch_frames(&self, every_frame: bool) {
        if let Some(watch) = self.play.as_ref().and_then(|play| play.watch.as_ref()) {
            watch.set_every_frame(every_frame);
        }
    }

    /// Whether there is something new to be seen.
    fn handle_sample(&mut self, ctx: &Context<Self>, sample: Sample) -> bool {
        let Some(play) = &self.play else {
            return false;
        };
        self.milestones = Some(play.probe.milestones());
        if let Some(watch) = &play.watch {
            watch.ask();
        }
        let times = self.frames.borrow_mut().drain();
        let point = self.record.handle_sample(sample, &times);
        let note = self.guard.note();
        let now = timer::since_page_opened();
        let actions = self
            .guard
            .handle_reading(reading(&point), dom::is_visible(), now);
        for action in actions {
            self.act(ctx, action);
        }
        ctx.props().open || self.guard.note() != note
    }

    fn act(&self, ctx: &Context<Self>, action: Action) {
        let Some(play) = &self.play else {
            return;
        };
        match action {
            Action::SetPlayoutTarget(target) => stats::set_playout_target(&play.probe, target),
            Action::Reattach => {
                if let Some(video) = frames::video_in(&ctx.props().stage) {
                    frames::reattach(&video);
                }
            }
            Action::Restart => ctx.props().on_restart.emit(()),
        }
    }

    fn first_frame(&self) -> FirstFrame {
        let first = self.frames.borrow().first();
        self.milestones
            .map(|steps| FirstFrame::of(&steps, first))
            .unwrap_or_default()
    }

    fn copy(&mut self, ctx: &Context<Self>) {
        let about = About {
            server: ctx.props().server.to_string(),
            user_agent: location::user_agent(),
            unix_ms: timer::wall_ms(timer::now_ms()),
            guard: self.guard.note(),
        };
        let first_frame = self.first_frame();
        let report = bug_report(&about, self.milestones.as_ref(), &first_frame, &self.record);
        let on_copied = ctx.link().callback(Msg::Copied);
        self.copying = Some(Task::spawn(async move {
            on_copied.emit(match clipboard::write(report).await {
                Ok(()) => "Copied".to_owned(),
                Err(cause) => format!("Not copied: {cause}"),
            });
        }));
    }
}

/// Notes each presented frame and, while the panel is open, its strip.
fn note_frames(
    frames: &Rc<RefCell<FrameLog>>,
    open: &Rc<Cell<bool>>,
) -> impl FnMut(&Video, Frame) + 'static {
    let (frames, open) = (frames.clone(), open.clone());
    let mut search = StripSearch::default();
    let mut reader = None;
    move |video, frame| {
        frames.borrow_mut().push(frame);
        let now_ms = timer::now_ms();
        if !open.get() || !search.is_due(now_ms) {
            return;
        }
        let reader = reader.get_or_insert_with(StripReader::new);
        let stamp = reader.as_ref().and_then(|reader| reader.read(video));
        search.looked(stamp.is_some(), now_ms);
        if let Some(stamp) = stamp {
            let captured_ms = stamp.capture_ms as f64 - timer::wall_ms(0.0);
            frames.borrow_mut().push_strip(&frame, captured_ms);
        }
    }
}

/// The best measure of how far behind live it is.
fn reading(point: &Point) -> Option<Reading> {
    let measured = |measure, ms| Reading { measure, ms };
    match point.delay {
        Some(delay) => {
            let measure = match delay.source {
                DelaySource::CaptureClock => Measure::Delay,
                DelaySource::SenderReport => Measure::EstimatedDelay,
            };
            Some(measured(measure, delay.ms))
        }
        None => Some(measured(Measure::Buffer, point.figures.buffer_ms?)),
    }
}
