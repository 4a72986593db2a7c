"""sopnb: the monthly sales and operations planning cycle as a workbook with memory.

The notebooks are the place to start; each module here does one part of the month's work.
"""

__version__ = "0.1.0"
