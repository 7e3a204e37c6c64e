//! The parts of the page: properties in, callbacks out.

pub mod connection_bar;
pub mod help_sheet;
pub mod icon;
pub mod local_video;
pub mod masthead;
pub mod name_form;
pub mod payload_form;
pub mod picture_overlay;
pub mod play_card;
pub mod player_controls;
pub mod publish_card;
pub mod received_list;
pub mod remote_video;
pub mod report_line;
pub mod text_field;
