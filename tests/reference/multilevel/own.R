# Kinds of model that the 29 cases do not hold, simulated and fitted by lme4 and glmmTMB in the same file layout.
# Rscript own.R FOLDER (R 4.2.2, lme4 1.1-31, glmmTMB 1.1.5, jsonlite); answers move in the last digits between versions.
suppressMessages({
  library(lme4)
  library(glmmTMB)
  library(jsonlite)
})
out <- commandArgs(TRUE)[1]

units <- function(r) lapply(r, function(z) {
  v <- attr(z, "condVar")
  if (is.null(v)) v <- attr(z, "postVar")
  if (is.list(v)) v <- v[[1]]
  list(level = rownames(z), b = z[[1]], condsd = sqrt(as.numeric(v)))
})

by_lme4 <- function(f, d, family, nAGQ, REML) {
  if (family == "gaussian") {
    return(lmer(f, d, REML = REML, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9))))
  }
  # A looser inner tolerance or a larger rhoend stops visibly short of the maximum.
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-11, optCtrl = list(rhoend = 1e-8, maxfun = 1e5))
  glmer(f, d, family = family, nAGQ = nAGQ, control = control)
}

by_glmmTMB <- function(f, d, family, REML) {
  family <- switch(family, gaussian = gaussian(), binomial = binomial(), poisson = poisson(), nbinom2 = nbinom2())
  control <- glmmTMBControl(optCtrl = list(rel.tol = 1e-14, iter.max = 2000, eval.max = 2000))
  glmmTMB(f, d, family = family, REML = isTRUE(REML), control = control)
}

without_levels <- function(fixed, d, family, REML) {
  if (family == "gaussian") return(logLik(lm(fixed, d), REML = isTRUE(REML)))
  if (family == "nbinom2") return(logLik(by_glmmTMB(fixed, d, family, REML)))
  logLik(glm(fixed, family = family, data = d))
}

put <- function(id, family, fixed, levels, d, nAGQ = 1, REML = NULL, peers = c("lme4", "glmmTMB"), profile = FALSE) {
  with_levels <- function(some) as.formula(paste(c(fixed, sprintf("(1|%s)", some)), collapse = " + "))
  frame <- model.frame(as.formula(fixed), d)
  y <- model.response(frame)
  offset <- model.offset(frame)
  rows <- data.frame(.y = if (is.matrix(y)) y[, 1] else y, .n = if (is.matrix(y)) rowSums(y) else 1,
                     .offset = if (is.null(offset)) 0 else offset, check.names = FALSE)
  for (level in levels) rows[[paste0(".g_", level)]] <- d[[level]]
  rows <- cbind(rows, model.matrix(as.formula(fixed), d))
  write.csv(rows, file.path(out, paste0(id, ".mm.csv")), row.names = FALSE, quote = FALSE)
  engines <- list()
  if ("lme4" %in% peers) {
    m <- by_lme4(with_levels(levels), d, family, nAGQ, REML)
    spread <- as.data.frame(VarCorr(m))
    engines$lme4 <- list(
      version = as.character(packageVersion("lme4")), logLik = as.numeric(logLik(m)), npar = attr(logLik(m), "df"),
      fixef = as.list(fixef(m)), se = as.list(setNames(summary(m)$coefficients[, 2], names(fixef(m)))),
      sd = setNames(as.list(spread$sdcor), spread$grp), ranef = units(ranef(m, condVar = TRUE)))
  }
  if ("glmmTMB" %in% peers) {
    g <- by_glmmTMB(with_levels(levels), d, family, REML)
    spread <- lapply(VarCorr(g)$cond, function(z) attr(z, "stddev")[[1]])
    if (family == "gaussian") spread$Residual <- sigma(g)
    engines$glmmTMB <- list(
      version = as.character(packageVersion("glmmTMB")), logLik = as.numeric(logLik(g)), npar = attr(logLik(g), "df"),
      fixef = as.list(fixef(g)$cond), se = as.list(summary(g)$coefficients$cond[, 2]), sd = spread,
      dispersion_k = if (family == "nbinom2") sigma(g), ranef = units(ranef(g)$cond))
  }
  left <- sapply(levels, function(level) {
    rest <- setdiff(levels, level)
    as.numeric(if (!length(rest)) without_levels(as.formula(fixed), d, family, REML)
               else if ("lme4" %in% peers) logLik(by_lme4(with_levels(rest), d, family, nAGQ, REML))
               else logLik(by_glmmTMB(with_levels(rest), d, family, REML)))
  }, simplify = FALSE)
  case <- list(id = id, family = family, formula = deparse(with_levels(levels), 500), levels_fine_to_coarse = I(levels),
               nAGQ = nAGQ, REML = REML, nrow = nrow(d), engines = engines, drop_level_logLik = left)
  if (profile) {
    limits <- confint(m, parm = "theta_", method = "profile", oldNames = FALSE, quiet = TRUE)
    limits[is.na(limits)] <- 0
    case$profile_ci_sd_95 <- setNames(lapply(seq_len(nrow(limits)), function(i) unname(limits[i, ])), rownames(limits))
  }
  write(toJSON(case, auto_unbox = TRUE, digits = 15, null = "null"), file.path(out, paste0(id, ".json")))
}

# Four nested levels: 3 regions of 4 areas of 4 practices of 3 doctors with 2 rows each.
set.seed(4)
d <- expand.grid(row = 1:2, i = 1:3, j = 1:4, k = 1:4, region = 1:3)
d$area <- d$region * 10 + d$k
d$practice <- d$area * 10 + d$j
d$doctor <- d$practice * 10 + d$i
each <- function(name, sd) { labels <- unique(d[[name]]); setNames(rnorm(length(labels), 0, sd), labels)[as.character(d[[name]])] }
d$x <- round(rnorm(nrow(d)), 6)
eta <- 1 + 0.3 * d$x + each("region", 0.6) + each("area", 0.4) + each("practice", 0.4) + each("doctor", 0.4)
d$count <- rpois(nrow(d), exp(eta + 1))
d$value <- round(eta + rnorm(nrow(d), 0, 0.5), 6)
levels <- c("doctor", "practice", "area", "region")
put("own_four_pois", "poisson", "count ~ x", levels, d)
put("own_four_reml", "gaussian", "value ~ x", levels, d, REML = TRUE)

# An observation level in a binomial model, beside a level of areas.
set.seed(5)
d <- data.frame(obs = 1:120, area = rep(1:20, each = 6), x = round(rnorm(120), 6))
d$n <- sample(20:80, 120, TRUE)
d$yes <- rbinom(120, d$n, plogis(-0.5 + 0.3 * d$x + rnorm(20, 0, 0.5)[d$area] + rnorm(120, 0, 0.5)))
d$no <- d$n - d$yes
put("own_olre_bin", "binomial", "cbind(yes, no) ~ x", c("obs", "area"), d, profile = TRUE)

# Negative binomial with an offset and two levels.
set.seed(6)
d <- data.frame(practice = rep(1:40, each = 5), x = round(rnorm(200), 6), size = sample(500:9000, 200, TRUE))
d$area <- (d$practice - 1) %/% 5 + 1
d$size <- round(log(d$size), 6)
d$count <- rnbinom(200, mu = exp(-4.5 + 0.2 * d$x + d$size + rnorm(40, 0, 0.3)[d$practice] + rnorm(8, 0, 0.4)[d$area]), size = 6)
put("own_offset_nb", "nbinom2", "count ~ x + offset(size)", c("practice", "area"), d, peers = "glmmTMB")

# Few events: single trials, and counts by quadrature.
set.seed(7)
d <- data.frame(unit = rep(1:40, each = 4), x = round(rnorm(160), 6))
shift <- rnorm(40, 0, 0.9)[d$unit]
d$event <- rbinom(160, 1, plogis(-1.8 + 0.5 * d$x + shift))
d$count <- rpois(160, exp(-0.5 + 0.3 * d$x + shift))
put("own_sparse_bin", "binomial", "event ~ x", "unit", d, profile = TRUE)
put("own_sparse_agq11_pois", "poisson", "count ~ x", "unit", d, nAGQ = 11, peers = "lme4")

# No spread at all.
d$even <- rpois(160, exp(1 + 0.3 * d$x))
put("own_zerovar_pois", "poisson", "even ~ x", "unit", d)
