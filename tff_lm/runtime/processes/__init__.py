"""Worker processes on this machine: started tuned, closed to others, ended for sure."""
