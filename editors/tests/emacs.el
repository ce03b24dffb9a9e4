;; Opens a definition in Emacs with eglot, set up as docs/editors.md says.
;;
;; usage: BINARY=… FOLDER=… emacs --batch -l emacs.el

(require 'eglot)
(require 'yaml-mode)
(require 'cl-lib)

(defvar shown nil "The codes of the diagnostics of the definition.")

(cl-defmethod eglot-handle-notification :after
  (_server (_method (eql textDocument/publishDiagnostics)) &key uri diagnostics &allow-other-keys)
  (when (string-suffix-p "svc-export.yaml" uri)
    (setq shown (mapcar (lambda (it) (plist-get it :code)) diagnostics))))

(defun until (what holds)
  "Wait until HOLDS is true; fail with WHAT after a minute."
  (let ((tries 600))
    (while (not (funcall holds))
      (when (zerop (cl-decf tries))
        (error "failed: %s; shown: %s" what shown))
      (accept-process-output nil 0.1))))

(let ((binary (getenv "BINARY")) (folder (getenv "FOLDER")))
  (with-eval-after-load 'eglot
    (add-to-list 'eglot-server-programs `((yaml-mode yaml-ts-mode) . (,binary "lsp"))))
  (setq eglot-sync-connect 30)
  (find-file (expand-file-name "keys/svc-export.yaml" folder))
  (yaml-mode)
  (apply #'eglot (eglot--guess-contact))
  (until "findings are shown" (lambda () (member "level-standard-forbidden" shown)))
  (goto-char (point-min))
  (search-forward "standard")
  (replace-match "advanced")
  (eglot--signal-textDocument/didChange)
  (until "findings follow the buffer" (lambda () (not (member "level-standard-forbidden" shown))))
  (set-buffer-modified-p nil)
  (eglot-shutdown (eglot-current-server))
  (message "ok  emacs"))
