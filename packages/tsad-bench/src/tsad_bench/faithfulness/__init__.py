"""Faithfulness: does a detector's score fall when what its attribution blames is made normal?"""
