"""Coarse, tool and fine localization networks, trained on synthetic images only.

After Loing, Marlet and Aubry, "Virtual training for a real application: accurate object-robot relative localization
without calibration", IJCV 2018, with dense heat maps in place of one linear head per quantity.
"""
