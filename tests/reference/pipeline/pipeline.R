# The whole way from counts to positions, movements and ranks, written a second time: from the methods page, in base R
# and lme4, without gpvar. Run it in this folder: Rscript pipeline.R (R 4.2.2, lme4 1.1-31; seven minutes of one core).
# README.md says what is compared, what is rounded and what differs.
suppressMessages(library(lme4))

args <- commandArgs(TRUE)
here <- if (length(args)) args[1] else "."
DRAWS <- 2000
TRIM <- 0.10
world <- read.csv(gzfile(file.path(here, "world.csv.gz")), colClasses = c(
  practice_code = "character", icb_code = "character", pcn_code = "character"), na.strings = "")
N <- nrow(world)
monthly <- function(name) as.matrix(world[sprintf("%s_%02d", name, 1:12)])
attended <- monthly("appointments") - monthly("dna") - monthly("unknown")
# A practice without a network is pooled with the others of its board; a network that straddles two boards is one in each.
world$pcn <- paste(world$icb_code, ifelse(is.na(world$pcn_code), "U", world$pcn_code))

# --- gates -----------------------------------------------------------------------------------------------------------

# A year's list is the mean over its months.
gates <- function(y, n, kind, appointments, list, months, book) {
  stop <- is.na(y) | is.na(n) | n <= 0
  if (kind == "proportion") stop <- stop | (!is.na(y) & !is.na(n) & y > n)
  # Requests for advice are not in the appointment book: its fullness says nothing of them (gates of their card).
  if (book) stop <- stop | (!is.na(appointments) & appointments * 12 / months / list < 1)
  jump <- if (months == 12) {
    lists <- monthly("list")
    apply(abs(lists[, -1] / lists[, -12] - 1), 1, max)
  } else 0
  atypical <- list < 1000 | jump > 0.15 | world$share_65plus < 0.025 | world$share_85plus > 0.12 |
    world$share_female_15_44 > 0.40
  list(stop = stop, aside = atypical)
}

# --- what is observed ------------------------------------------------------------------------------------------------

linked <- function(y, n, kind) if (kind == "proportion") qlogis((y + 0.5) / (n + 1)) else log((y + 0.5) / n)
inverse <- function(theta, kind) if (kind == "proportion") plogis(theta) else exp(theta)
sampling <- function(n, theta, kind) {
  p <- inverse(theta, kind)
  if (kind == "proportion") 1 / (n * p * (1 - p)) else 1 / (n * p)
}

# --- passing movement ------------------------------------------------------------------------------------------------

# Half the variance of the difference of months h apart, less sampling, is v (1 - rho^h); months' own means are taken out.
passing <- function(Y, n, kind, use) {
  months <- ncol(Y)
  use <- use & rowSums(is.na(Y) | is.na(n)) == 0
  y <- linked(Y[use, ], n[use, ], kind)
  # Of a month at its own figure, as its chance was: at the year's figure too little is taken off where events are few.
  s2 <- sampling(n[use, ], y, kind)
  lags <- 1:(months - 1)
  from <- lapply(lags, function(h) 1:(months - h))
  half <- sapply(lags, function(h) mean(sapply(from[[h]], function(t) {
    (var(y[, t + h] - y[, t]) - mean(s2[, t] + s2[, t + h])) / 2
  })))
  fit <- function(W) {
    at <- function(shape) sum(shape * (W %*% half)) / sum(shape * (W %*% shape))
    lack <- function(rho) {
      shape <- 1 - rho^lags
      gap <- half - at(shape) * shape
      sum(gap * (W %*% gap))
    }
    rho <- optimize(lack, c(0, 0.98), tol = 1e-10)$minimum
    c(v = at(1 - rho^lags), rho = rho)
  }
  # Errors that normal figures would have: each lag's statistic is a quadratic form of a practice's months, and lags
  # share months, so that their errors go together.
  forms <- lapply(lags, function(h) {
    A <- matrix(0, months, months)
    for (t in from[[h]]) {
      e <- numeric(months); e[t + h] <- 1; e[t] <- -1
      A <- A + outer(e, e) / (2 * length(from[[h]]))
    }
    A
  })
  errors <- function(p) {
    S <- p["v"] * p["rho"]^abs(outer(1:months, 1:months, "-")) + mean(s2) * diag(months)
    B <- lapply(forms, function(A) A %*% S)
    outer(lags, lags, Vectorize(function(g, h) 2 * sum(B[[g]] * t(B[[h]]))))
  }
  p <- fit(diag(months - lags))
  p <- fit(solve(errors(p)))
  c(p, mean = unname(p["v"] * mean(p["rho"]^abs(outer(1:months, 1:months, "-")))))
}

# --- design ----------------------------------------------------------------------------------------------------------

# Harrell's restricted cubic spline: straight beyond the outer knots.
spline_columns <- function(x, k) {
  m <- length(k)
  plus <- function(a) pmax(a, 0)^3
  curve <- sapply(1:(m - 2), function(j) {
    (plus(x - k[j]) - plus(x - k[m - 1]) * (k[m] - k[j]) / (k[m] - k[m - 1]) +
      plus(x - k[m]) * (k[m - 1] - k[j]) / (k[m] - k[m - 1])) / (k[m] - k[1])^2
  })
  cbind(x, curve)
}
prevalence <- function(name) qlogis((world[[paste0("qof_reg_", name)]] + 0.5) / (world$qof_list + 1))
blocks <- list(
  age_sex = as.matrix(world[c("share_0_4", "share_65plus", "share_85plus", "share_female_15_44")]),
  imd = cbind(imd = world$imd2025), dm = cbind(dm = prevalence("dm")), dep = cbind(dep = prevalence("dep")),
  rural = cbind(rural = ifelse(is.na(world$rurality), NA, as.numeric(world$rurality == "Rural"))))
RUNGS <- list(M0 = c(), M1 = c("age_sex", "imd", "dm", "dep"), "M1-" = c("age_sex", "imd"),
              M2 = c("age_sex", "imd", "dm", "dep", "rural"))

# Knots are England's: of every sound practice whose value is known, whatever else of it is missing.
design <- function(names, use) {
  X <- NULL
  for (name in names) {
    columns <- blocks[[name]]
    if (name == "imd") {
      knots <- quantile(columns[use, 1], c(0.05, 0.35, 0.65, 0.95), na.rm = TRUE)
      columns <- spline_columns(columns[, 1], knots)
      colnames(columns) <- paste0("imd", 0:2)
    }
    X <- cbind(X, columns)
  }
  complete <- if (is.null(X)) rep(TRUE, N) else rowSums(is.na(X)) == 0
  of <- function(what) apply(X[use & complete, , drop = FALSE], 2, what)
  if (!is.null(X)) X <- scale(X, of(mean), of(sd))
  list(X = cbind("(Intercept)" = rep(1, N), X), complete = complete)
}

# --- what is expected ------------------------------------------------------------------------------------------------

# Fitted on orthogonal columns, which the search finds its way in sooner; told in those of the design.
multilevel <- function(y, n, kind, X, use) {
  d <- data.frame(y = y, n = n, icb = world$icb_code, pcn = world$pcn, practice = world$practice_code)[use, ]
  turned <- qr(X[use, , drop = FALSE])
  stopifnot(turned$rank == ncol(X))
  d$Q <- qr.Q(turned) * sqrt(sum(use))
  places <- "+ (1 | icb) + (1 | pcn) + (1 | practice)"
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-11, optCtrl = list(rhoend = 1e-8, maxfun = 1e5),
                          calc.derivs = FALSE, check.scaleX = "ignore")
  fit <- if (kind == "proportion") {
    glmer(as.formula(paste("cbind(y, n - y) ~ 0 + Q", places)), d, binomial, control = control)
  } else {
    glmer(as.formula(paste("y ~ 0 + Q + offset(log(n))", places)), d, poisson, control = control)
  }
  back <- backsolve(qr.R(turned), diag(ncol(X))) * sqrt(sum(use))
  V <- back %*% as.matrix(vcov(fit, use.hessian = FALSE)) %*% t(back)
  list(fit = fit, beta = as.numeric(back %*% fixef(fit)), se = sqrt(diag(V)))
}

# --- the shared spread -----------------------------------------------------------------------------------------------

CAP <- qnorm(1 - TRIM)
KAPPA <- (1 - 2 * TRIM) - 2 * CAP * dnorm(CAP) + 2 * TRIM * CAP^2
psi <- function(z) pmax(-CAP, pmin(CAP, z))

# y: judged quantity; base: x'beta; extra: v + tau^2.
distance <- function(m, y, base, n, kind, extra) (y - base - m) / sqrt(sampling(n, base + m, kind) + extra)
centre <- function(y, base, n, kind, extra) {
  about <- median(y - base)
  summed <- function(m) sum(psi(distance(m, y, base, n, kind, extra)))
  uniroot(summed, about + c(-1, 1), extendInt = "downX", tol = 1e-12)$root
}
centres <- function(y, base, n, kind, extra, group) {
  sapply(split(seq_along(y), group), function(i) centre(y[i], base[i], n[i], kind, extra))
}

# Huber's Proposal 2 inside Paule and Mandel's equation: one spread, one centre a group.
shared_spread <- function(y, base, n, kind, v, group, parameters) {
  excess <- function(total) {
    m <- centres(y, base, n, kind, total, group)[as.character(group)]
    sum(psi(distance(m, y, base, n, kind, total))^2) - (length(y) - parameters) * KAPPA
  }
  # What passes is chance: the spread is what is left of the sum, and nought where chance already covers it.
  total <- if (excess(v) <= 0) v else uniroot(excess, c(v, 10), tol = 1e-12)$root
  m <- centres(y, base, n, kind, total, group)
  list(tau2 = total - v, m = m)
}

# As metafor has them, for residuals r with sampling variances s2 and one mean.
dersimonian_laird <- function(r, s2) {
  w <- 1 / s2
  Q <- sum(w * (r - sum(w * r) / sum(w))^2)
  max(0, (Q - (length(r) - 1)) / (sum(w) - sum(w^2) / sum(w)))
}
paule_mandel <- function(r, s2) {
  lack <- function(t) { w <- 1 / (s2 + t); sum(w * (r - sum(w * r) / sum(w))^2) - (length(r) - 1) }
  if (lack(0) <= 0) 0 else uniroot(lack, c(0, 100), tol = 1e-12)$root
}

# --- judging ---------------------------------------------------------------------------------------------------------

# Normal score of the middle of the step that a count is, in its predictive distribution.
middle <- function(below, here) qnorm(pmin(pmax(below + here / 2, 1e-300), 1 - 1e-16))
beta_binomial <- function(y, n, p, spread) {
  variance <- (p * (1 - p))^2 * expm1(spread)
  a <- p * (p * (1 - p) / variance - 1)
  b <- (1 - p) * (p * (1 - p) / variance - 1)
  d <- exp(lchoose(n, 0:y) + lbeta(0:y + a, n - 0:y + b) - lbeta(a, b))
  c(below = sum(d[-(y + 1)]), here = d[y + 1])
}
predictive <- function(y, n, theta, kind, spread) {
  p <- inverse(theta, kind)
  if (kind == "rate") {
    mu <- n * p
    if (spread == 0) return(middle(ppois(y - 1, mu), dpois(y, mu)))
    size <- 1 / expm1(spread)
    return(middle(pnbinom(y - 1, size, mu = mu), dnbinom(y, size, mu = mu)))
  }
  if (spread == 0) return(middle(pbinom(y - 1, n, p), dbinom(y, n, p)))
  # The shorter tail is summed: a complement turns only the sign over.
  if (y > n / 2) return(-predictive(n - y, n, -theta, kind, spread))
  found <- beta_binomial(y, n, p, spread)
  middle(found["below"], found["here"])
}
few <- function(n, theta, kind) {
  p <- inverse(theta, kind)
  if (kind == "rate") n * p < 30 else pmin(n * p, n * (1 - p)) < 30
}
# Spread is v + tau^2 among practices as they are, v for chance alone.
score <- function(y, n, theta, kind, spread) {
  z <- (linked(y, n, kind) - theta) / sqrt(sampling(n, theta, kind) + spread)
  exact <- which(!is.na(z) & (few(n, theta, kind) | spread == 0))
  for (i in exact) z[i] <- predictive(y[i], n[i], theta[i], kind, spread)
  z
}
# Inside the 95 % limits of chance: sampling's exact limits of the count, interpolated (Spiegelhalter 2005, appendix);
# with passing movement those of the score.
inside_chance <- function(y, n, theta, kind, v) {
  if (v > 0) return(abs(score(y, n, theta, kind, v)) <= qnorm(0.975))
  p <- inverse(theta, kind)
  below <- function(r) if (kind == "rate") ppois(r, n * p) else pbinom(r, n, p)
  limit <- function(q) {
    r <- if (kind == "rate") qpois(q, n * p) else qbinom(q, n, p)
    r - (below(r) - q) / (below(r) - below(r - 1))
  }
  y >= limit(0.025) & y <= limit(0.975)
}
position <- function(z, inside, decidable) {
  ifelse(!decidable, "not_decidable", ifelse(inside, "no_detectable_difference",
    ifelse(abs(z) <= qnorm(0.975), "usual", ifelse(abs(z) <= qnorm(0.999), "unusual", "far_outside"))))
}
movement <- function(d0, d, z0, z) {
  e <- 1 - d / d0
  out0 <- abs(z0) > qnorm(0.975)
  out <- abs(z) > qnorm(0.975)
  from <- ifelse(out, ifelse(e > 1, "reversed", ifelse(e >= 0.25, "partly_explained", "not_explained")),
    ifelse(e >= 0.5, "explained", ifelse(e >= 0.25, "partly_explained", "borderline")))
  ifelse(out0, from, ifelse(out, ifelse(abs(d) >= 1.25 * abs(d0), "revealed", "borderline"), ""))
}

# --- one study -------------------------------------------------------------------------------------------------------

judge <- function(study, beta, X, complete, rung, comparator, v) {
  y <- study$y; n <- study$n; kind <- study$kind
  decidable <- !study$stop & complete
  fitted <- decidable & !study$aside
  base <- rep(NA_real_, N)
  base[complete] <- X[complete, , drop = FALSE] %*% beta
  judged <- linked(y, n, kind)
  group <- if (comparator == "england") rep("all", N) else world$icb_code
  parameters <- ncol(X) + length(unique(group[fitted])) - 1
  spread <- shared_spread(judged[fitted], base[fitted], n[fitted], kind, v, group[fitted], parameters)
  m <- spread$m[group]
  if (comparator == "own_icb") {
    # A practice takes no part in the centre that it is compared with.
    for (i in which(fitted)) {
      others <- setdiff(which(fitted & group == group[i]), i)
      m[i] <- centre(judged[others], base[others], n[others], kind, v + spread$tau2)
    }
  }
  theta <- base + m
  z <- rep(NA_real_, N)
  inside <- rep(NA, N)
  z[decidable] <- score(y[decidable], n[decidable], theta[decidable], kind, v + spread$tau2)
  inside[decidable] <- inside_chance(y[decidable], n[decidable], theta[decidable], kind, v)
  d <- judged - theta
  ranked <- if (rung == "M0") y / n else d
  ranked[!decidable] <- NA
  placed <- unsplit(lapply(split(ranked, group), rank, ties.method = "min", na.last = "keep"), group)
  rows <- data.frame(
    study = study$id, rung = rung, comparator = comparator, practice_code = world$practice_code, z = z,
    d = d, position = position(z, inside, decidable), rank = placed)
  s2 <- sampling(n, base + (if (comparator == "england") spread$m else 0), kind)[fitted]
  r <- (judged - base)[fitted]
  about <- data.frame(study = study$id, rung = rung, comparator = comparator, n = sum(fitted), tau2 = spread$tau2,
                      centre = if (comparator == "england") spread$m else NA, v = v,
                      dersimonian_laird = if (comparator == "england") dersimonian_laird(r, s2) else NA,
                      paule_mandel = if (comparator == "england") paule_mandel(r, s2) else NA)
  list(rows = rows, about = about)
}

# Joint draws of coefficients and effects given the variances; of a practice's effect the part that lasts.
rank_draws <- function(fit, v) {
  L <- getME(fit, "L"); RX <- getME(fit, "RX"); RZX <- getME(fit, "RZX"); X <- getME(fit, "X")
  levels <- names(getME(fit, "cnms"))
  Zt <- getME(fit, "Zt"); Lambda <- getME(fit, "Lambda"); u <- getME(fit, "u"); beta <- fixef(fit)
  Gp <- getME(fit, "Gp")
  own <- rep(seq_along(levels), diff(Gp)) == match("practice", levels)
  sigma2 <- VarCorr(fit)$practice[1]
  lasting <- max(sigma2 - v, 0)
  raw <- adjusted <- matrix(0, nrow(X), DRAWS)
  for (k in seq_len(DRAWS)) {
    step <- backsolve(RX, rnorm(length(beta)))
    free <- rnorm(length(u)) - as.numeric(RZX %*% step)
    drawn <- u + as.numeric(solve(L, solve(L, free, system = "Lt"), system = "Pt"))
    b <- as.numeric(Lambda %*% drawn)
    b[own] <- b[own] * lasting / sigma2 + rnorm(sum(own)) * sqrt(lasting * (sigma2 - lasting) / sigma2)
    adjusted[, k] <- as.numeric(crossprod(Zt, b))
    raw[, k] <- adjusted[, k] + as.numeric(X %*% (beta + step))
  }
  summed <- function(x) {
    ranks <- apply(x, 2, rank)
    t(apply(ranks, 1, quantile, c(0.5, 0.025, 0.975), type = 7))
  }
  data.frame(practice_code = as.character(fit@frame$practice), raw = summed(raw), adjusted = summed(adjusted))
}

analyse <- function(study) {
  cat(study$id, format(Sys.time()), "\n")
  study <- c(study, gates(study$y, study$n, study$kind, study$appointments, study$list, study$months,
                          study$id != "advice_april"))
  sound <- !study$stop & !study$aside
  moved <- if (is.null(study$Y)) NULL else passing(study$Y, study$M, study$kind, sound)
  v <- if (is.null(moved)) 0 else moved[["mean"]]
  found <- list(rows = NULL, about = NULL, terms = NULL, ranks = NULL, moved = moved)
  for (rung in names(RUNGS)) {
    made <- design(RUNGS[[rung]], sound)
    model <- multilevel(study$y, study$n, study$kind, made$X, sound & made$complete)
    cat(" ", rung, format(Sys.time()), "\n")
    sds <- as.data.frame(VarCorr(model$fit))
    found$terms <- rbind(found$terms, data.frame(
      study = study$id, rung = rung, part = rep(c("fixed", "sd", "loglik"), c(ncol(made$X), 3, 1)),
      term = c(colnames(made$X), sds$grp, ""), estimate = c(model$beta, sds$sdcor, as.numeric(logLik(model$fit))),
      se = c(model$se, NA, NA, NA, NA)))
    for (comparator in c("england", "own_icb")) {
      one <- judge(study, model$beta, made$X, made$complete, rung, comparator, v)
      if (rung == "M0") one$rows$movement <- "" else {
        raw <- found$rows[found$rows$rung == "M0" & found$rows$comparator == comparator, ]
        one$rows$movement <- movement(raw$d, one$rows$d, raw$z, one$rows$z)
        one$rows$movement[is.na(one$rows$movement)] <- ""
      }
      found$rows <- rbind(found$rows, one$rows)
      found$about <- rbind(found$about, one$about)
    }
    if (rung == "M1" && !is.null(moved)) found$ranks <- cbind(study = study$id, rank_draws(model$fit, v))
  }
  if (!is.null(moved)) found$terms <- rbind(found$terms, data.frame(
    study = study$id, rung = "", part = "passing", term = names(moved), estimate = moved, se = NA))
  found
}

lists <- monthly("list")
studies <- list(
  list(id = "dna_year", kind = "proportion", Y = monthly("dna"), M = monthly("dna") + attended, months = 12),
  list(id = "appointments_year", kind = "rate", Y = monthly("appointments"), M = lists, months = 12),
  list(id = "dna_april", kind = "proportion", y = world$dna_01, n = world$dna_01 + attended[, 1], months = 1),
  list(id = "advice_april", kind = "rate", y = world$advice_01, n = world$list_01, months = 1))
set.seed(8)
results <- lapply(studies, function(study) {
  if (study$months == 12) {
    study <- c(study, list(y = rowSums(study$Y), n = rowSums(study$M)))
    study$appointments <- rowSums(monthly("appointments")); study$list <- rowMeans(lists)
  } else {
    study$appointments <- world$appointments_01; study$list <- world$list_01
  }
  analyse(study)
})
together <- function(name) do.call(rbind, lapply(results, `[[`, name))
save_as <- function(frame, name) {
  to <- if (grepl("gz$", name)) gzfile(file.path(here, name), "wb", compression = 9) else file(file.path(here, name), "wb")
  write.csv(frame, to, row.names = FALSE, quote = FALSE, na = "")
  close(to)
}
rows <- together("rows")
# One row per study and practice: column RUNG.COMPARATOR.WHAT. The percentile is 100 (rank - 1) / those ranked.
side <- unique(rows[c("study", "practice_code")])
for (rung in names(RUNGS)) for (comparator in c("england", "own_icb")) {
  part <- rows[rows$rung == rung & rows$comparator == comparator, ]
  stopifnot(identical(part$practice_code, side$practice_code), identical(part$study, side$study))
  part$z <- round(part$z, 3)
  what <- c("z", "position", "rank", if (rung != "M0") "movement")
  side[paste(rung, comparator, what, sep = ".")] <- part[what]
}
save_as(side, "positions.csv.gz")
about <- together("about")
about[-(1:4)] <- signif(about[-(1:4)], 9)
save_as(about, "spread.csv")
terms <- together("terms")
terms[c("estimate", "se")] <- signif(terms[c("estimate", "se")], 10)
save_as(terms, "models.csv")
ranks <- together("ranks")
names(ranks)[-(1:2)] <- paste0(rep(c("raw", "adjusted"), each = 3), c("_median", "_lower", "_upper"))
ranks[-(1:2)] <- round(ranks[-(1:2)])
save_as(ranks, "ranks.csv.gz")
