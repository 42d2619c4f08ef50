"""Metrics: pure functions of labels, scores and what else they name."""

from tsad_core.metrics.attribution import channel_auc_pr, hit_rate_100
from tsad_core.metrics.events import f1, false_alarm_rate, nominal_false_alarm_rate, top_3, top_5, ucr_hit
from tsad_core.metrics.ranking import auc_pr, auc_roc
from tsad_core.metrics.vus import vus_pr, vus_roc

__all__ = [
    "auc_pr",
    "auc_roc",
    "channel_auc_pr",
    "f1",
    "false_alarm_rate",
    "hit_rate_100",
    "nominal_false_alarm_rate",
    "top_3",
    "top_5",
    "ucr_hit",
    "vus_pr",
    "vus_roc",
]
