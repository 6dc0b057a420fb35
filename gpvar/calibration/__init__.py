"""The tool on trial: in simulated Englands whose truth is known, how often is it wrong?"""
