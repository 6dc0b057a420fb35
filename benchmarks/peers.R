# Times one model by lme4 or glmmTMB, for benchmarks/multilevel.py:
#   Rscript peers.R FILE ENGINE FAMILY REPEATS COVARIATE...
# FILE has y, n (trials or exposure), icb, pcn, practice and the covariates. Only the fit is timed, and then the summary
# with its standard errors; reading the file is not. Prints "name value" lines: seconds by the clock, then those of the
# processor.
words <- commandArgs(trailingOnly = TRUE)
engine <- words[2]
family <- words[3]
repeats <- as.integer(words[4])
data <- read.csv(words[1])
right <- paste(c(words[-(1:4)], "(1 | icb) + (1 | pcn) + (1 | practice)"), collapse = " + ")
left <- if (family == "binomial") "cbind(y, n - y) ~" else "y ~ offset(log(n)) +"
model <- as.formula(paste(left, right))

suppressPackageStartupMessages(library(engine, character.only = TRUE))
fit <- function() {
  if (engine == "lme4") {
    # bobyqa alone: lme4's own default goes on with Nelder-Mead, which takes longer and ends no higher.
    glmer(model, data, family = family, control = glmerControl(optimizer = "bobyqa"))
  } else {
    glmmTMB(model, data, family = switch(family, negative_binomial = nbinom2(), family))
  }
}

clock <- fitting <- summarising <- numeric(repeats)
for (i in seq_len(repeats)) {
  taken <- system.time(found <- suppressWarnings(suppressMessages(fit())))
  clock[i] <- taken["elapsed"]
  fitting[i] <- sum(taken[1:2])
  summarising[i] <- sum(system.time(said <- summary(found))[1:2])
}
cat("clock", median(clock), "\n")
cat("fit", median(fitting), "\n")
cat("with_errors", median(fitting + summarising), "\n")
cat("loglik", format(as.numeric(logLik(found)), digits = 15), "\n")
