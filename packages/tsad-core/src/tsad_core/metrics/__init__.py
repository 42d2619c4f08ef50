"""Metrics: pure functions of labels, scores and what else they name."""

from tsad_core.metrics.adjusted import pa_f1, pa_f1_oracle, pa_k_auc, pa_k_auc_oracle, pa_k_f1, pa_k_f1_oracle
from tsad_core.metrics.affiliation import (
    affiliation_f1,
    affiliation_f1_oracle,
    affiliation_precision,
    affiliation_recall,
)
from tsad_core.metrics.attribution import (
    channel_auc_pr,
    channel_auc_pr_corrected,
    hit_rate_100,
    hit_rate_100_corrected,
    hit_rate_150,
    hit_rate_150_corrected,
)
from tsad_core.metrics.attribution_by_step import (
    hit_rate_100_by_step,
    hit_rate_100_by_step_corrected,
    hit_rate_150_by_step,
    hit_rate_150_by_step_corrected,
    ndcg_100_by_step,
    ndcg_100_by_step_corrected,
    ndcg_150_by_step,
    ndcg_150_by_step_corrected,
)
from tsad_core.metrics.counterfactual import plausibility, share_changed
from tsad_core.metrics.events import (
    composite_f1,
    composite_f1_oracle,
    detection_delay,
    event_f1,
    event_f1_oracle,
    event_precision,
    event_recall,
)
from tsad_core.metrics.followers import (
    hit_rate_100_mixad,
    hit_rate_100_mixad_corrected,
    hit_rate_150_mixad,
    hit_rate_150_mixad_corrected,
)
from tsad_core.metrics.ips import ips_100, ips_100_corrected, ips_150, ips_150_corrected
from tsad_core.metrics.nab import nab_score, nab_score_oracle
from tsad_core.metrics.ndcg import ndcg_100, ndcg_100_corrected, ndcg_150, ndcg_150_corrected
from tsad_core.metrics.points import (
    f1,
    f1_oracle,
    false_alarm_rate,
    false_alarms_per_1000,
    nominal_false_alarm_rate,
    precision,
    recall,
)
from tsad_core.metrics.range_auc import r_auc_pr, r_auc_roc
from tsad_core.metrics.ranges import range_auc_pr, range_f1, range_f1_oracle, range_precision, range_recall
from tsad_core.metrics.ranking import auc_pr, auc_pr_relative, auc_pr_trapezoid, auc_pr_trapezoid_relative, auc_roc
from tsad_core.metrics.restoration import restoration_harm, restoration_skill
from tsad_core.metrics.restoration_distances import (
    restoration_dtw_global,
    restoration_dtw_local,
    restoration_ed_global,
    restoration_ed_local,
)
from tsad_core.metrics.ucr import top_3, top_5, ucr_hit
from tsad_core.metrics.vus import vus_pr, vus_roc
from tsad_core.metrics.whole_windows import (
    window_accuracy,
    window_macro_f1,
    window_macro_precision,
    window_macro_recall,
)

__all__ = [
    "affiliation_f1",
    "affiliation_f1_oracle",
    "affiliation_precision",
    "affiliation_recall",
    "auc_pr",
    "auc_pr_relative",
    "auc_pr_trapezoid",
    "auc_pr_trapezoid_relative",
    "auc_roc",
    "channel_auc_pr",
    "channel_auc_pr_corrected",
    "composite_f1",
    "composite_f1_oracle",
    "detection_delay",
    "event_f1",
    "event_f1_oracle",
    "event_precision",
    "event_recall",
    "f1",
    "f1_oracle",
    "false_alarm_rate",
    "false_alarms_per_1000",
    "hit_rate_100",
    "hit_rate_100_by_step",
    "hit_rate_100_by_step_corrected",
    "hit_rate_100_corrected",
    "hit_rate_100_mixad",
    "hit_rate_100_mixad_corrected",
    "hit_rate_150",
    "hit_rate_150_by_step",
    "hit_rate_150_by_step_corrected",
    "hit_rate_150_corrected",
    "hit_rate_150_mixad",
    "hit_rate_150_mixad_corrected",
    "ips_100",
    "ips_100_corrected",
    "ips_150",
    "ips_150_corrected",
    "nab_score",
    "nab_score_oracle",
    "ndcg_100",
    "ndcg_100_by_step",
    "ndcg_100_by_step_corrected",
    "ndcg_100_corrected",
    "ndcg_150",
    "ndcg_150_by_step",
    "ndcg_150_by_step_corrected",
    "ndcg_150_corrected",
    "nominal_false_alarm_rate",
    "pa_f1",
    "pa_f1_oracle",
    "pa_k_auc",
    "pa_k_auc_oracle",
    "pa_k_f1",
    "pa_k_f1_oracle",
    "plausibility",
    "precision",
    "r_auc_pr",
    "r_auc_roc",
    "range_auc_pr",
    "range_f1",
    "range_f1_oracle",
    "range_precision",
    "range_recall",
    "recall",
    "restoration_dtw_global",
    "restoration_dtw_local",
    "restoration_ed_global",
    "restoration_ed_local",
    "restoration_harm",
    "restoration_skill",
    "share_changed",
    "top_3",
    "top_5",
    "ucr_hit",
    "vus_pr",
    "vus_roc",
    "window_accuracy",
    "window_macro_f1",
    "window_macro_precision",
    "window_macro_recall",
]
