//! Applications: queue moves and control them.

use serde_json::Value;
use tokio_postgres::error::{DbError, SqlState};
use uuid::Uuid;

use super::expected::{Effect, Move, Outcome, ensure};
use super::operations::{Control, Ending};
use super::world::{FIRST_TARGET, World};
use crate::support::{Session, Target, enqueue_in};

impl World<'_> {
    pub(super) async fn enqueue(&mut self, run: usize, target: usize, batch_size: i32) -> Outcome {
        let place = FIRST_TARGET + target;
        let (funnel, column) = self.places[place];
        let target = Target {
            funnel: funnel.expect("a target has a funnel"),
            column: column.expect("a target has a column"),
        };
        let answer = enqueue_in(&self.app, self.runs[run], target, Some(batch_size)).await;

        let counted: std::collections::BTreeSet<Uuid> = self
            .expected
            .leads_of(run)
            .filter(|(_, there)| *there != place)
            .map(|(id, _)| id)
            .collect();
        if let Some((id, active)) = self.expected.active(run) {
            if active.target != place {
                let code = answer.as_ref().err().map(DbError::code);
                return ensure(code.map(SqlState::code) == Some("LM004"), || {
                    format!("move {id} is active, and another target answers {answer:?}")
                });
            }
            let answer = answer.map_err(|error| format!("asking again raised {error}"))?;
            ensure(
                answer["migration_id"] == id && answer["message_id"] == active.message_id,
                || format!("move {id} is active, and asking again answers {answer}"),
            )?;
            let lost = self.lanes_without_messages(Some(id)).await;
            return ensure(lost == 0 || self.a_batch_is_open(), || {
                format!("asking for move {id} again leaves {lost} lanes without a message")
            });
        }
        let answer = answer.map_err(|error| format!("enqueue raised {error}"))?;
        ensure(answer["total"] == counted.len(), || {
            format!(
                "{} leads are to be moved, not as in {answer}",
                counted.len()
            )
        })?;
        let Some(migration_id) = answer["migration_id"].as_i64() else {
            return ensure(counted.is_empty() && answer["message_id"].is_null(), || {
                format!("nothing was queued: {answer}")
            });
        };
        let queued = Move {
            run,
            target: place,
            batch_size,
            status: "pending".to_owned(),
            message_id: answer["message_id"].as_i64().unwrap_or_default(),
            counted,
            ..Move::default()
        };
        let before = self.expected.moves.insert(migration_id, queued);
        ensure(before.is_none(), || format!("not a new move: {answer}"))
    }

    pub(super) async fn control(&mut self, control: Control, run: usize) -> Outcome<Effect> {
        let answer = call(&self.app, control, self.runs[run]).await;
        if let Err(error) = &answer
            && *error.code() == SqlState::LOCK_NOT_AVAILABLE
        {
            ensure(self.a_batch_is_open(), || {
                format!("{control:?} waited for nobody")
            })?;
            return Ok(Effect::default());
        }
        let run_id = self.runs[run];
        let is_running = self.workers.iter().any(|worker| {
            worker
                .open
                .as_ref()
                .is_some_and(|batch| batch.run_id == Some(run_id))
        });
        ensure(control == Control::Retry || !is_running, || {
            format!("{control:?} did not wait for a running batch: {answer:?}")
        })?;
        self.judge_control(control, run, answer)
    }

    pub(super) async fn control_while_batches_end(
        &mut self,
        control: Control,
        run: usize,
        ending: Ending,
    ) -> Outcome<Effect> {
        let patient = self.patient.clone();
        let run_id = self.runs[run];
        let answer = call(&patient, control, run_id);
        tokio::pin!(answer);
        let mut effect = Effect::default();
        let mut answered = None;
        for worker in 0..self.workers.len() {
            // It has answered, or it waits.
            while answered.is_none() {
                tokio::select! {
                    answer = &mut answer => answered = Some(answer),
                    waits = self.patient_waits() => if waits { break },
                }
            }
            if answered.is_some() {
                break;
            }
            let ended = self.end_batch(worker, ending).await;
            effect.committed.extend(ended.committed);
        }
        let answer = match answered {
            Some(answer) => answer,
            None => tokio::time::timeout(std::time::Duration::from_secs(20), answer)
                .await
                .map_err(|_| format!("{control:?} waits, though no batch is open"))?,
        };
        effect.control = self.judge_control(control, run, answer)?.control;
        Ok(effect)
    }

    fn judge_control(
        &mut self,
        control: Control,
        run: usize,
        answer: Result<Value, DbError>,
    ) -> Outcome<Effect> {
        if control == Control::Retry {
            return self.judge_retry(run, answer).map(|()| Effect::default());
        }
        let answer = answer.map_err(|error| format!("{control:?} raised {error}"))?;
        ensure(answer["success"] == true, || {
            format!("{control:?}: {answer}")
        })?;
        Ok(Effect {
            control: Some((control, run)),
            ..Effect::default()
        })
    }

    fn judge_retry(&mut self, run: usize, answer: Result<Value, DbError>) -> Outcome {
        let newest = self.expected.newest(run);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                return ensure(
                    error.code().code() == "LM004" && newest.is_some_and(Move::is_active),
                    || format!("retry raised {error}, the run's newest move is {newest:?}"),
                );
            }
        };
        let old =
            newest.filter(|old| matches!(old.status.as_str(), "failed" | "completed_with_errors"));
        let (Some(old), Some(id)) = (old, answer["migration_id"].as_i64()) else {
            return ensure(old.is_none() && answer["migration_id"].is_null(), || {
                format!("retry answers {answer}, the run's newest move is {newest:?}")
            });
        };
        ensure(
            answer["total"].as_u64() >= Some(old.rejected.len() as u64),
            || format!("retry answers {answer} after {old:?}"),
        )?;
        let again = old.again(answer["message_id"].as_i64().unwrap_or_default());
        let before = self.expected.moves.insert(id, again);
        ensure(before.is_none(), || format!("not a new move: {answer}"))
    }

    async fn patient_waits(&self) -> bool {
        self.app
            .query_one(&self.statements.waits, &[&self.patient_pid])
            .await
            .unwrap()
            .get(0)
    }
}

async fn call(session: &Session, control: Control, run: Uuid) -> Result<Value, DbError> {
    session
        .query_one(
            &format!("select public.{}($1)", control.function()),
            &[&run],
        )
        .await
        .map(|row| row.get(0))
        .map_err(|error| error.as_db_error().expect("the server answers").clone())
}
